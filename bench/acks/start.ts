/** Starts a server of one kind, each in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { issueGuestToken } from '../../src/auth/guest-tokens.ts';
import { startMongoServer } from '../../test/support/mongo-server.ts';
import { serverFlags, startServerProcess } from '../server-process.ts';

export const kinds = ['echo', 'gateway', 'store', 'everything'] as const;
/** With the database on this machine. */
export const storeKinds = ['echo', 'store', 'mongo'] as const;
export type Kind = (typeof kinds | typeof storeKinds)[number];

export interface AckServer extends AsyncDisposable {
  readonly port: number;
  tokenOf(userId: string): Promise<string>;
  state(): Promise<ServerState>;
}

export interface ServerState {
  /** Of the process; after collecting garbage where it is not the whole server. */
  readonly residentBytes: number;
  /** Since the start, user and system. */
  readonly cpuMs: number;
}

export function startAckServer(kind: Kind): Promise<AckServer> {
  if (kind === 'mongo') return startWithDatabase();
  return kind === 'everything' ? startEverything() : startPart(kind);
}

async function startWithDatabase(): Promise<AckServer> {
  const database = await startMongoServer();
  const server = await startPart('mongo', database.newDatabase());
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function startPart(kind: Kind, uri?: string): Promise<AckServer> {
  const directory = process.env['DATA_DIR'] ?? 'data';
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(join(directory, 'bench-acks-'));
  const entry = fileURLToPath(new URL('serve.ts', import.meta.url));
  const child = fork(entry, [kind, uri ?? join(scratch, 'amity.db')], {
    // Socket.IO alone is as Node starts it.
    execArgv: ['--import', 'tsx', '--expose-gc', ...(kind === 'echo' ? [] : serverFlags)],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
    tokenOf: async (userId) => userId,
    async state() {
      child.send('state');
      return ((await once(child, 'message')) as [ServerState])[0];
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
      await rm(scratch, { recursive: true });
    },
  };
}

/** As it is run, with the default model; who connects has a token of an app. */
async function startEverything(): Promise<AckServer> {
  const secret = 'a secret of this benchmark, and of nothing else';
  const server = await startServerProcess({ RATE_LIMITS: 'on', AMITY_PROXY_HOPS: '1', JWT_SECRET: secret });
  return {
    port: Number(new URL(server.url).port),
    tokenOf: async (userId) =>
      (await issueGuestToken(new TextEncoder().encode(secret), userId, Date.now())).token,
    state: server.figures,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
