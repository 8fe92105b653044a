/**
 * A real server on a free port: real sockets, real embedded store in a directory of its own, real workers with the tiny
 * model that counts. Close it with `await using`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, loadConfig } from '../../src/config/load.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { makeTinyModel } from './tiny-model.ts';

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly dataDirectory: string;
  /** A token of a new guest. */
  guest(): Promise<{ readonly userId: string; readonly token: string }>;
  /** Stops it as a signal would, keeping its data. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** Settings beside the tests' own. */
  readonly env?: Environment;
  /** The data directory of a server that was stopped before. */
  readonly dataDirectory?: string;
  /** Directory of ready models instead of the tiny one. */
  readonly modelsDirectory?: string;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'amity-test-')));
  const env = {
    PORT: '0',
    LOG_LEVEL: 'fatal',
    DATA_DIR: dataDirectory,
    MODEL: 'tiny-counting',
    AMITY_THREADS: '1',
    // Tests ask more in a moment than people in a day.
    RATE_LIMITS: 'off',
    AMITY_DRAIN_TIMEOUT_MS: '2000',
    ...(options.modelsDirectory === undefined ? {} : { MODELS_DIR: options.modelsDirectory }),
    ...options.env,
  };
  if (options.modelsDirectory === undefined && env.MODEL === 'tiny-counting') {
    await makeTinyModel(join(dataDirectory, 'models', 'tiny-counting'), { kind: 'counting' });
  }
  let server: RunningServer | undefined = await startServer(loadConfig(env, dataDirectory));
  await server.warm;
  const { url } = server;
  const stop = async () => {
    const running = server;
    server = undefined;
    await running?.[Symbol.asyncDispose]();
  };
  return {
    url,
    dataDirectory,
    guest: async () =>
      (await (await fetch(`${url}/v1/guests`, { method: 'POST' })).json()) as {
        userId: string;
        token: string;
      },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (options.dataDirectory === undefined) await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
