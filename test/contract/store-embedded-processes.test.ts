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
import type { Store } from '../../src/storage/store.ts';

interface Report {
  readonly kind: 'ready' | 'refused' | 'created' | 'logged' | 'ended' | 'duplicate' | `again ${string}`;
  readonly n: number;
  readonly messageId: string;
  /** Of 'logged': what the log holds of this generation, at least. */
  readonly generationId: string;
  readonly text: string;
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

  function startWriter(name: string, turns: { first: number; last: number; mode?: string }) {
    const script = [writerScript, file, name, `${turns.first}`, `${turns.last}`, turns.mode ?? ''];
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

  /** Takes up what the killed writer left, from where its log ends. */
  async function goOn(store: Store, turns: number): Promise<void> {
    const setup = { model: 'tiny', template: 'chat@1', seed: 1, variant: null };
    const trace = { model: 'tiny', template: 'chat@1', promptTokens: 1, budgetTokens: 1, parts: [] };
    const end = { status: 'done', finishReason: 'stop', candidates: [], shownCandidateId: null } as const;
    const unfinished = await store.unfinishedGenerations();
    expect(unfinished.length).toBeLessThanOrEqual(1);
    for (const { generationId, text: offset, attempts } of unfinished) {
      const text = `reply ${turns}`;
      expect(await store.startGeneration({ generationId, setup, trace, at: 1 })).toBe(true);
      const piece = { generationId, offset: offset.length, text: text.slice(offset.length) };
      expect(await store.appendText(piece)).toBe(true);
      expect(await store.generation('ada', generationId)).toMatchObject({ text, attempts: attempts + 1 });
      await store.endGeneration({ ...end, generationId, text, race: null, at: 1 });
    }
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
          // In the middle of a reply.
          if (next.kind === 'logged' && next.n === known + 100 + 7 * kill) writer.child.kill('SIGKILL');
        }
        await writer.closed;
        expect(writer.child.signalCode).toBe('SIGKILL');

        await using store = await openEmbeddedStore({ file });
        for (const { kind, messageId, n, generationId, text } of reports) {
          if (kind === 'logged')
            expect((await store.generation('ada', generationId))?.text.slice(0, text.length)).toBe(text);
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
        known = stored.length / 2;
        await goOn(store, known);
      }
    },
    60_000 + kills * 10_000,
  );

  it('creates a turn and a further reply once when three processes ask for them at the same time', async () => {
    const turns = 40;
    const racing = ['a', 'b', 'c'].map((name) =>
      startWriter(name, { first: 1, last: turns, mode: 'with further replies' }),
    );
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
    for (const again of ['', 'again ']) {
      const of = (kind: string) => reports.flat().filter((report) => report.kind === `${again}${kind}`);
      const created = of('created').map(({ n }) => n);
      expect(created.sort((a, b) => a - b)).toStrictEqual(Array.from({ length: turns }, (_, n) => n + 1));
      expect(of('duplicate')).toHaveLength(2 * turns);
    }
    await using store = await openEmbeddedStore({ file });
    const { conversationId } = await store.defaultConversation({
      userId: 'ada',
      newConversationId: '',
      at: 1,
    });
    const replies = (await store.changedAfter(conversationId, 0)).filter(({ role }) => role === 'companion');
    expect(replies.map(({ siblings }) => siblings.count)).toStrictEqual(replies.map(() => 2));
    expect(replies).toHaveLength(2 * turns);
  });
});
