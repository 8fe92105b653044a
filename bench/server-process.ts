import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of Node, as `npm start` and bin/amity.js have them. */
export const serverFlags = ['--max-semi-space-size=8'];

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  readonly dataDirectory: string;
  /** From /metrics. */
  figures(): Promise<Figures>;
}

export interface Figures {
  /** Generated since the start. */
  readonly tokens: number;
  readonly residentBytes: number;
  /** Since the start, user and system. */
  readonly cpuMs: number;
  readonly level: number;
  readonly queueAgeMs: number;
  readonly queued: number;
  readonly running: number;
  readonly steps: number;
  readonly rowSteps: number;
  /** Replies queued or running. */
  readonly replies: number;
  readonly connections: number;
}

/**
 * The built server with default settings but for `own` and rate limits, and the models of this clone.
 *
 * @param dataDirectory of an earlier one; a new one without it. Closing removes it.
 */
export async function startServerProcess(
  own: Readonly<Record<string, string>> = {},
  dataDirectory?: string,
): Promise<ServerProcess> {
  const data = dataDirectory ?? (await mkdtemp(join(tmpdir(), 'amity-bench-')));
  // What is measured is the embedded store, unless `own` says otherwise.
  const { MONGODB_URI: _, STORE: __, ...inherited } = process.env;
  const env = {
    ...inherited,
    PORT: '0',
    DATA_DIR: data,
    MODELS_DIR: join(root, 'data/models'),
    AMITY_LOG_FORMAT: 'json',
    RATE_LIMITS: 'off',
    ...own,
  };
  const child = spawn(process.execPath, [...serverFlags, 'bin/amity.js', 'serve'], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  while (!log.includes('Talk to it')) {
    const isOver = await Promise.race([
      once(child.stderr, 'data').then(() => false),
      once(child, 'close').then(() => true),
    ]);
    if (isOver) throw new Error(`The server did not start:\n${log}`);
  }
  const url = /listens on (http:\S+?)"/.exec(log)?.[1] ?? '';
  return {
    url,
    child,
    dataDirectory: data,
    figures: async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
      return {
        tokens: read('amity_tokens_generated_total'),
        residentBytes: read('process_resident_memory_bytes'),
        cpuMs: read('process_cpu_seconds_total') * 1000,
        level: read('amity_load_level'),
        queueAgeMs: read('amity_queue_age_seconds') * 1000,
        queued: read('amity_generations_queued'),
        running: read('amity_generations_running'),
        steps: read('amity_engine_steps'),
        rowSteps: read('amity_engine_row_steps'),
        replies: read('amity_replies_active'),
        connections: read('amity_connections'),
      };
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(child, 'close');
      if (child.kill('SIGTERM')) await closed;
      await rm(data, { recursive: true, force: true });
    },
  };
}
