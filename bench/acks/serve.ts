/**
 * A server of one kind, in a process of its own: `echo`, Socket.IO alone; `gateway`, ours with a store that keeps nothing; `store`, ours with the embedded
 * store; `mongo`, ours with a database. Ours have their limits, and generation is off: each reply ends at once without text.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { Replies } from '../../src/conversation/replies.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { GatewayDeps } from '../../src/gateway/handler.ts';
import { Sessions } from '../../src/gateway/sessions.ts';
import { createRateLimits } from '../../src/limits/rate-limits.ts';
import { turnsPerDayMax } from '../../src/limits/rates.ts';
import { createIds } from '../../src/random-ids.ts';
import { systemClock } from '../../src/std/clock.ts';
import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { openMongoStore } from '../../src/storage/mongo/mongo-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createGatewayObserver } from '../../src/telemetry/observers.ts';
import { forgetfulStore } from './forgetful-store.ts';
import type { ServerState } from './start.ts';

const [kind = '', file = ''] = process.argv.slice(2);
const http = createServer();
if (kind === 'echo') echo();
else if (kind === 'mongo') await serve(await openMongoStore({ uri: file }));
else await serve(kind === 'store' ? await openUsedStore() : forgetfulStore());
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.send?.({ port: (http.address() as AddressInfo).port });
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const state: ServerState = { residentBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 };
  process.send?.(state);
});

/** What a store starts only when it is used is no part of what a connection costs. */
async function openUsedStore(): Promise<Store> {
  const store = await openStoreThread({ file });
  const users = Array.from({ length: 3000 }, (_, n) => `earlier-${n}`);
  await Promise.all(
    users.map((userId) => store.defaultConversation({ userId, newConversationId: `c-${userId}`, at: 0 })),
  );
  return store;
}

function echo(): void {
  const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
  io.on('connection', (socket) => {
    socket.emit('session:ready', {});
    socket.on('message:send', (payload: object, ack: (answer: object) => void) =>
      ack({ ok: true, value: payload }),
    );
  });
}

async function serve(store: Store): Promise<void> {
  const clock = systemClock;
  const observer = createGatewayObserver(createLog({ level: 'fatal', format: 'json' }), createMetrics());
  const deps: GatewayDeps = {
    ...{
      store,
      clock,
      observer,
      sessions: new Sessions(),
      ids: createIds(clock),
      replies: new Replies(endAtOnce),
    },
    rateLimits: createRateLimits(),
    digest: (text) => text,
    draining: () => false,
    turnsPerDayMax,
    // The token is the user.
    verifyToken: async (token) => ({ userId: token, expiresAt: Date.now() + 86_400_000 }),
    generator: {
      model: 'none',
      admits: () => ({ ok: true }),
      level: () => 1,
      ready: async () => {},
      generate: () => {
        throw new Error('Generation is off.');
      },
    },
    prompt: {
      persona: { personaId: 'none', name: 'None', instructions: '' },
      template: { id: 'none', stop: [], render: () => [] },
      counter: { countTokens: () => 0 },
      ...{ model: 'none', budgetTokens: 0 },
    } as unknown as GatewayDeps['prompt'],
  };
  openGateway(http, deps, {
    settings: { transports: ['websocket'], corsOrigins: [], proxyHops: 1 },
    observer,
  });
}

async function endAtOnce({ stream, turn }: Reply): Promise<void> {
  const message = { ...turn.companion, status: 'cancelled', finishReason: 'cancelled' } as const;
  stream.finish({ kind: 'end', message, finishReason: 'cancelled' });
}
