import type { HostedRun } from './generation-host.ts';
import type { HostToMain, MainToHost } from './host-messages.ts';
import { ThreadHost } from './thread-host.ts';

/** The figures of the work change all the time, and are told this often. */
const statusEveryMs = 1000;

/** Inside the generation process: does what the server says until it closes the channel, or is gone itself. */
export function hostGenerations(channel: NodeJS.Process): void {
  const runs = new Map<number, HostedRun>();
  let host: ThreadHost | null = null;
  // Nobody is there to be told of a failed send: the server is gone, and `disconnect` says so.
  const send = (message: HostToMain) => channel.send?.(message, undefined, undefined, () => {});

  const tellStatus = async (opened: ThreadHost) => {
    setInterval(() => send({ type: 'status', status: opened.status() }), statusEveryMs).unref();
    while (host === opened) {
      send({ type: 'status', status: opened.status() });
      await opened.changed();
    }
  };
  const start = ({ run, request }: MainToHost & { type: 'start' }) => {
    const hosted = host?.start(request, (message) => send({ type: 'run', run, message }));
    // It is closing, and what it has not taken is lost when it ends.
    if (hosted === undefined) return;
    runs.set(run, hosted);
    void hosted.settled.then(() => {
      runs.delete(run);
      send({ type: 'settled', run });
    });
  };
  const close = async () => {
    const closing = host;
    host = null;
    for (const run of runs.values()) run.cancel();
    await closing?.[Symbol.asyncDispose]();
    if (channel.connected) channel.disconnect?.();
  };

  channel.on('message', (message: MainToHost) => {
    if (message.type === 'open') {
      const { workerFile, ...options } = message.options;
      host = new ThreadHost({
        ...options,
        ...(workerFile === null ? {} : { workerFile: new URL(workerFile) }),
      });
      host.setLevel(message.level);
      void tellStatus(host);
    } else if (message.type === 'start') start(message);
    else if (message.type === 'cancel') runs.get(message.run)?.cancel();
    else if (message.type === 'level') host?.setLevel(message.level);
    else void close();
  });
  channel.on('disconnect', () => void close());
  // A terminal and a process supervisor signal the whole group; this one ends when the server is done with it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) channel.on(signal, () => {});
}
