/** Runs the server until a signal asks it to stop. */
import type { Config } from './config/load.ts';
import { startServer } from './server.ts';

/** Resolves when everything is closed. @throws what keeps the server from starting, as one clear sentence. */
export async function serve(config: Config): Promise<void> {
  const stop = stopSignal();
  await using server = await startServer(config);
  const { log, url } = server;
  if (config.auth.kind === 'guest') {
    log.warn(
      'guest mode: anyone who reaches this address may talk; set JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL to change that',
    );
  }
  log.info(`Amity listens on ${url}`);
  const isWarm = await Promise.race([server.warm, stop.then(() => false)]);
  if (isWarm) log.info(`Talk to it: open ${url} in a browser`);
  const signal = await stop;
  log.info({ signal }, 'stopping: running replies may finish');
}

/** SIGINT and SIGTERM, once; a second one is heard and changes nothing. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
  });
}
