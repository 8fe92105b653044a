/** Connects, waits, and sends in an open loop: each message counts from the moment for which it was planned, however late the server or this process is. */
import { LightClient } from '../light/light-client.ts';

export interface DriveOptions {
  readonly port: number;
  readonly connections: number;
  readonly tokenOf: (userId: string) => Promise<string>;
  readonly perSecond: number;
  readonly seconds: number;
  /** Called when all are connected and nothing has been sent yet. */
  readonly connected: () => Promise<void>;
}

/** Connects under way at once. */
const connectsAtOnce = 64;
const text = 'Hello there, how are you today? It has been a long week.';
/** The first seconds are not counted. */
const warmUpSeconds = 2;
/** What has no answer by then will not get one. */
const patienceSeconds = 30;

export interface Driven {
  /** Milliseconds from the planned moment to the acknowledgement, sorted. */
  readonly latencies: readonly number[];
  readonly refused: number;
  readonly unanswered: number;
}

export async function drive(options: DriveOptions): Promise<Driven> {
  const clients = await connectAll(options);
  await options.connected();
  const { perSecond, seconds } = options;
  const total = Math.round(perSecond * (seconds + warmUpSeconds));
  const latencies: number[] = [];
  let [sent, answered, refused] = [0, 0, 0];
  const began = performance.now();
  await new Promise<void>((resolve) => {
    setTimeout(resolve, (warmUpSeconds + seconds + patienceSeconds) * 1000).unref();
    const tick = () => {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond));
      for (; sent < due; sent += 1) {
        const planned = began + (sent * 1000) / perSecond;
        const isCounted = sent >= warmUpSeconds * perSecond;
        // A stride, so that neighbours in time are not neighbours in the server's tables.
        clients[(sent * 7919) % clients.length]?.call(
          'message:send',
          { clientMessageId: crypto.randomUUID(), text },
          (at, ok) => {
            if (!ok) refused += 1;
            else if (isCounted) latencies.push(at - planned);
            answered += 1;
            if (answered === total) resolve();
          },
        );
      }
      if (sent < total) setTimeout(tick, 1);
    };
    tick();
  });
  for (const client of clients) client.close();
  return { latencies: latencies.sort((a, b) => a - b), refused, unanswered: total - answered };
}

async function connectAll({ port, connections, tokenOf }: DriveOptions): Promise<readonly LightClient[]> {
  const clients: LightClient[] = [];
  let next = 0;
  const connect = async () => {
    for (let n = next++; n < connections; n = next++) {
      const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
      clients.push(await LightClient.open(port, await tokenOf(`user-${n}`), address));
    }
  };
  await Promise.all(Array.from({ length: connectsAtOnce }, connect));
  return clients;
}
