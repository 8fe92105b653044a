/** What other processes do to an embedded store, and what a sudden end of its own process does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';

interface Report {
  readonly kind: 'ready' | 'refused' | 'created' | 'ended' | 'duplicate' | 'conflict' | 'not_found';
  readonly n: number;
  readonly messageId: string;
}

const kills = process.env['AMITY_TEST_LONG'] ? 50 : 3;
const writerScript = fileURLToPath(new URL('./store-embedded-writer.ts', import.meta.url));

describe('an embedded store and other processes', () => {
  let directory = '';
  let file = '';
  const writers: ChildProcess[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amity-store-'));
    file = join(directory, 'amity.db');
  });
  afterEach(async () => {
    for (const writer of writers.splice(0)) writer.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });

  function startWriter(name: string, turns: { first: number; last: number }) {
    const script = [writerScript, file, name, `${turns.first}`, `${turns.last}`];
    const child = spawn(process.execPath, ['--import', 'tsx', ...script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    writers.push(child);
    const reports = createInterface(child.stdout)[Symbol.asyncIterator]();
    /** The next line, or null when there are no more. */
    async function next(): Promise<Report | null> {
      const { done, value } = await reports.next();
      return done === true ? null : (JSON.parse(value) as Report);
    }
    return {
      child,
      next,
      closed: once(child, 'close'),
      go: () => child.stdin.end('go\n'),
      async ready(): Promise<void> {
        let report = await next();
        while (report?.kind === 'refused') report = await next();
        expect(report?.kind).toBe('ready');
      },
    };
  }

  it(
    'holds all that a writer had reported when it is killed',
    async () => {
      let known = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        const writer = startWriter(`w${kill}`, { first: known + 1, last: known + 100_000 });
        await writer.ready();
        writer.go();
        const reports: Report[] = [];
        for (let next = await writer.next(); next !== null; next = await writer.next()) {
          reports.push(next);
          if (next.kind === 'ended' && next.n === known + 100 + 7 * kill) writer.child.kill('SIGKILL');
        }
        await writer.closed;
        expect(writer.child.signalCode).toBe('SIGKILL');

        await using store = await openEmbeddedStore({ file });
        for (const { kind, messageId, n } of reports) {
          if (kind === 'created')
            expect(await store.message('ada', messageId)).toMatchObject({ text: `message ${n}` });
          if (kind === 'ended')
            expect(await store.message('ada', messageId)).toMatchObject({
              text: `reply ${n}`,
              status: 'done',
            });
        }
        expect(reports.filter(({ kind }) => kind === 'ended').length).toBeGreaterThanOrEqual(99);
        // Whole turns only: the one that was being written is there or not.
        const stored = await store.changedAfter('w0', 0);
        expect(stored.map(({ seq }) => seq)).toStrictEqual(stored.map((_, index) => index + 1));
        expect(stored.filter(({ role }) => role === 'user')).toHaveLength(stored.length / 2);
        expect((await store.unfinishedGenerations()).length).toBeLessThanOrEqual(kill + 1);
        known = stored.length / 2;
      }
    },
    60_000 + kills * 10_000,
  );

  it('creates a turn once when three processes send the same ones at the same time to a new file', async () => {
    const turns = 40;
    const racing = ['a', 'b', 'c'].map((name) => startWriter(name, { first: 1, last: turns }));
    for (const writer of racing) await writer.ready();
    for (const writer of racing) writer.go();
    const reports = await Promise.all(
      racing.map(async (writer) => {
        const all: Report[] = [];
        for (let next = await writer.next(); next !== null; next = await writer.next()) all.push(next);
        await writer.closed;
        expect(writer.child.exitCode).toBe(0);
        return all;
      }),
    );
    const answers = reports.flat().filter(({ kind }) => kind !== 'ended' && kind !== 'refused');
    expect(answers).toHaveLength(3 * turns);
    const created = answers.filter(({ kind }) => kind === 'created').map(({ n }) => n);
    expect(created.sort((a, b) => a - b)).toStrictEqual(Array.from({ length: turns }, (_, n) => n + 1));
    expect(answers.filter(({ kind }) => kind === 'duplicate')).toHaveLength(2 * turns);
  });
});
