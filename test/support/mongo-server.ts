/**
 * A server that speaks MongoDB's protocol, for the tests: that of MONGODB_URI, or one that is started here. `.ci/run` installs one:
 * secantusdb, from the Python package index; nothing that ships depends on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { requireOrSkip } from './require-or-skip.ts';

const binary = 'secantusd-rs';
const installed = fileURLToPath(new URL('../.cache/secantus/bin', import.meta.url));

export interface MongoServer extends AsyncDisposable {
  /** Of a database that nobody has used before. */
  newDatabase(): string;
  /** Where it keeps its files. Null: that is not known. */
  readonly directory: string | null;
  /** kill -9. */
  kill(): Promise<void>;
  /** On the same port, with what it kept. */
  restart(): Promise<void>;
  /** It takes connections, and answers nothing. */
  freeze(): void;
  thaw(): void;
}

/** Whether there is one, for `describe.runIf(...)`. */
export function hasMongoServer(): boolean {
  return requireOrSkip(
    'a MongoDB server',
    process.env['MONGODB_URI'] !== undefined || findBinary() !== null,
    'set MONGODB_URI, or: python3 -m venv test/.cache/secantus && test/.cache/secantus/bin/pip install secantusdb==0.6.0b17',
  );
}

export async function startMongoServer(): Promise<MongoServer> {
  const given = process.env['MONGODB_URI'];
  return given === undefined ? startOwn() : useGiven(given);
}

function useGiven(uri: string): MongoServer {
  const notOurs = async () => {
    throw new Error('The server of MONGODB_URI is not killed.');
  };
  return {
    directory: null,
    newDatabase: () => withDatabase(uri),
    kill: notOurs,
    restart: notOurs,
    freeze: () => void notOurs(),
    thaw: () => void notOurs(),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Commands of these names end with their connection, as long as `work` goes on. */
export async function withFailing(
  uri: string,
  failCommands: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  const admin = await mongoose.createConnection(uri).asPromise();
  const data = { failCommands, closeConnection: true };
  const setFailPoint = (mode: string) =>
    admin.db?.admin().command({ configureFailPoint: 'failCommand', mode, data });
  await setFailPoint('alwaysOn');
  try {
    await work();
  } finally {
    await setFailPoint('off');
    await admin.close();
  }
}

async function startOwn(): Promise<MongoServer> {
  const directory = await mkdtemp(join(tmpdir(), 'amity-mongo-'));
  let { child, port } = await start(directory, 0);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    directory,
    newDatabase: () => withDatabase(`mongodb://127.0.0.1:${port}`),
    kill,
    async restart() {
      await kill();
      ({ child, port } = await start(directory, port));
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(directory, { recursive: true });
    },
  };
}

async function start(directory: string, wanted: number): Promise<{ child: ChildProcess; port: number }> {
  const options = ['--storage-path', directory, '--cache-size', '256M', '--log-file-max', '64MB'];
  const child = spawn(
    findBinary() ?? binary,
    ['--host', '127.0.0.1', '--port', `${wanted}`, ...options, '--sync-on-commit'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface(child.stdout)) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return { child, port: Number(port) };
  }
  throw new Error(`${binary} ended before it listened.`);
}

function withDatabase(uri: string): string {
  const url = new URL(uri);
  url.pathname = `/amity-test-${randomUUID()}`;
  return url.href;
}

function findBinary(): string | null {
  const directories = [installed, ...(process.env['PATH'] ?? '').split(delimiter)];
  return directories.map((directory) => join(directory, binary)).find((path) => existsSync(path)) ?? null;
}
