/** The Socket.IO edge: who may connect, and what happens to a connected device's events. */
import { once } from 'node:events';
import type { Server as HttpServer, IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Server } from 'socket.io';
import type { VerifiedToken } from '../auth/verify-token.ts';
import { openDefaultConversation } from '../conversation/send-message.ts';
import { clientAddress } from '../limits/client-address.ts';
import type { ClientToServerEvents, ServerToClientEvents } from '../protocol/events.ts';
import { limits, PROTOCOL_VERSION } from '../protocol/limits.ts';
import { CodedError, toWireError } from '../std/coded-error.ts';
import { dispatch } from './dispatch.ts';
import { writeTicksTogether } from './flushes.ts';
import type { EventObserver, GatewayDeps } from './handler.ts';
import { isAllowedOrigin } from './origin.ts';
import { type AmitySocket, Session } from './session.ts';

export interface GatewaySettings {
  readonly transports: readonly ('websocket' | 'polling')[];
  readonly corsOrigins: readonly string[];
  readonly proxyHops: number;
}

/** Told of connections and errors, never of what was said. */
export interface GatewayObserver extends EventObserver {
  connected(userId: string): void;
  disconnected(userId: string, reason: string): void;
  refused(error: unknown): void;
  eventFailed(event: string, error: unknown): void;
}

export interface GatewayOptions {
  readonly settings: GatewaySettings;
  readonly observer: GatewayObserver;
}

/** A dead peer is noticed after at most interval + timeout. */
const pingIntervalMs = 12_500;
const pingTimeoutMs = 10_000;
/** Who has not shown a token by then is cut off. */
const authenticationMsMax = 5000;
/** How long closing waits for devices that do not read. */
const dismissTimeoutMs = 2000;
/** How long it then waits for devices that do not answer its goodbye. */
const endTimeoutMs = 1000;

interface SocketData {
  token: VerifiedToken;
  /** For limits: see limits/client-address.ts. */
  address: string;
  /** Its place among the connections of its user and address. */
  counted: Disposable;
}

type Io = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>;

export interface Gateway extends AsyncDisposable {
  /**
   * Tells all devices that the server is about to stop, and when each of them is to connect again: spread over `windowMs`, so that they do not
   * all come at once to wherever they go.
   */
  announceEnd(windowMs: number): void;
}

export function openGateway(http: HttpServer, deps: GatewayDeps, options: GatewayOptions): Gateway {
  const { settings, observer } = options;
  const io: Io = new Server(http, {
    path: '/socket.io/',
    serveClient: false,
    transports: [...settings.transports],
    maxHttpBufferSize: limits.frameBytesMax,
    perMessageDeflate: false,
    httpCompression: false,
    pingInterval: pingIntervalMs,
    pingTimeout: pingTimeoutMs,
    connectTimeout: authenticationMsMax,
    cors: { origin: [...settings.corsOrigins] },
    allowRequest: (request, decide) => decide(null, isAllowedOrigin(request.headers, settings.corsOrigins)),
  });

  io.engine.on('connection', (connection: AmitySocket['conn']) => {
    writeTicksTogether(connection);
    connection.on('packet', closeWhenTold);
  });

  const upgraded = new Set<Duplex>();
  http.on('upgrade', (_request, socket) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
  });

  io.use((socket, next) => {
    const address = addressOf(socket.handshake, settings.proxyHops);
    admit(socket as unknown as AmitySocket, deps, address).then(
      (admitted) => {
        Object.assign(socket.data, admitted);
        next();
      },
      (error: unknown) => {
        observer.refused(error);
        next(toConnectError(error));
      },
    );
  });

  io.on('connection', (socket) => {
    serveDevice(socket as unknown as AmitySocket, { deps, ...socket.data, observer }).catch(
      (error: unknown) => {
        observer.eventFailed('connect', error);
        socket.disconnect(true);
      },
    );
  });

  return {
    announceEnd(windowMs) {
      const devices = deps.sessions.all();
      devices.forEach((device, place) => {
        const reconnectInMs = Math.round((windowMs * (place + 1)) / devices.length);
        device.emit('server:draining', { reconnectInMs });
      });
    },
    [Symbol.asyncDispose]: async () => {
      // Closing Socket.IO throws away what is not written yet: devices are sent home first.
      const dismissed = Promise.all(deps.sessions.all().map((session) => session.dismiss()));
      await Promise.race([dismissed, pause(dismissTimeoutMs, undefined, { ref: false })]);
      await endAll(upgraded);
      await io.close();
    },
  };
}

/** The protocol's own word for it, of which engine.io takes no notice over WebSocket. */
function closeWhenTold(this: AmitySocket['conn'], { type }: { readonly type: string }): void {
  if (type === 'close') this.close();
}

/** A peer that does not answer the end of its WebSocket would keep the server from stopping for half a minute. */
async function endAll(sockets: ReadonlySet<Duplex>): Promise<void> {
  const ended = [...sockets].map((socket) => once(socket, 'close'));
  await Promise.race([Promise.allSettled(ended), pause(endTimeoutMs, undefined, { ref: false })]);
  for (const socket of sockets) socket.destroy();
}

function addressOf(
  { address, headers }: { address: string; headers: IncomingHttpHeaders },
  proxyHops: number,
): string {
  const forwarded = headers['x-forwarded-for'];
  return clientAddress(address, Array.isArray(forwarded) ? forwarded.join(',') : forwarded, proxyHops);
}

/** Who it is, counted among their connections until it is gone. @throws CodedError for whom is not let in. */
async function admit(
  socket: AmitySocket,
  { verifyToken, draining, rateLimits }: GatewayDeps,
  address: string,
): Promise<SocketData> {
  await rateLimits.connect(address);
  if (draining())
    throw new CodedError('shutting_down', 'The server is about to stop.', { retryAfterMs: 1000 });
  const token: unknown = socket.handshake.auth['token'];
  if (typeof token !== 'string' || token === '')
    throw new CodedError('unauthenticated', 'A token is needed to connect.');
  const verified = await verifyToken(token);
  const counted = rateLimits.socket({ userId: verified.userId, address });
  // It may be gone before it is served, or by now.
  if (socket.conn.readyState === 'open') socket.conn.once('close', () => counted[Symbol.dispose]());
  else counted[Symbol.dispose]();
  return { token: verified, address, counted };
}

function toConnectError(error: unknown): Error {
  const wire = toWireError(error);
  return Object.assign(new Error(wire.message), { data: wire });
}

async function serveDevice(
  socket: AmitySocket,
  { deps, token, address, counted, observer }: SocketData & { deps: GatewayDeps; observer: GatewayObserver },
): Promise<void> {
  const { userId, expiresAt } = token;
  const devices = () => deps.sessions.of(userId);
  const session = new Session(socket, { userId, expiresAt, clock: deps.clock, devices });
  observer.connected(userId);
  socket.on('disconnect', (reason) => {
    deps.sessions.remove(session);
    session.close();
    counted[Symbol.dispose]();
    observer.disconnected(userId, reason);
  });

  // Events that arrive while the conversation is looked up wait for it: the session is announced before any answer.
  const source = { socketId: socket.id, userId, address };
  const ready = announce(session, deps);
  const call = { ...deps, session };
  socket.onAny((name: string, ...args: unknown[]) => {
    // Its answer would wait, too.
    if (session.dropIfOverfull()) return;
    void ready.then(
      () => dispatch(call, { name, args, source }, observer.eventFailed),
      () => undefined,
    );
  });
  await ready;
}

/** Tells the device who it is, and lets it follow what is being written to its user. */
async function announce(session: Session, deps: GatewayDeps): Promise<void> {
  const { conversationId, lastSeq, rev } = await openDefaultConversation(deps, session.userId);
  session.defaultConversationId = conversationId;
  session.join(conversationId);
  session.emit('session:ready', {
    protocolVersion: PROTOCOL_VERSION,
    userId: session.userId,
    conversationId,
    lastSeq,
    rev,
    serverTime: new Date(deps.clock.now()).toISOString(),
    limits: { ...limits },
  });
  if (session.closed) return;
  deps.sessions.add(session);
  for (const reply of deps.replies.ofUser(session.userId)) session.follow(reply);
}
