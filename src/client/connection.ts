/**
 * One authenticated Socket.IO connection that comes back by itself. Socket.IO retries a lost transport; a refused
 * handshake, a kick by the server and a missing token are retried here, where it makes sense.
 */
import { io, type Socket } from 'socket.io-client';
import type { ErrorCode } from '../protocol/errors.ts';
import type {
  Ack,
  ClientEvent,
  ClientToServerEvents,
  Payload,
  ServerToClientEvents,
  Value,
} from '../protocol/events.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { ServerAction } from './actions.ts';
import {
  AmityError,
  disconnectedFault,
  type Fault,
  type Outcome,
  parseFault,
  timeoutFault,
} from './fault.ts';
import type { ConnectionState } from './state.ts';

/**
 * A fixed token, or where to get one; asked before each connect that needs one, and a minute before a token ends.
 * `refused`: the code with which the server turned the last token down, so that it must not be given again.
 */
export type Auth = { readonly token: string } | ((refused: ErrorCode | null) => Promise<string>);

export interface ConnectionOptions {
  /** Origin of the server; the page's own when absent. */
  readonly url?: string | undefined;
  readonly auth: Auth;
  readonly deviceId?: string | undefined;
  readonly ackTimeoutMs: number;
  /** First wait before a lost connection is tried again; doubles up to ten times this. */
  readonly reconnectDelayMs: number;
  readonly onState: (connection: ConnectionState) => void;
  readonly onEvent: (action: ServerAction) => void;
}

export interface Connection {
  /**
   * Sends one event and waits for its answer; never throws. Nothing is buffered while there is no connection.
   *
   * @param take gets the answer before any later event is heard: the promise is a microtask late, and by then the reply
   * that an acknowledgement announces may have started or ended.
   */
  request<E extends ClientEvent>(
    event: E,
    payload: Payload<E>,
    take?: (outcome: Outcome<Value<E>>) => void,
  ): Promise<Outcome<Value<E>>>;
  /** Tries now instead of later; nothing when connected. */
  reconnect(): void;
  /** Gives a connection up that looks alive and does not answer; a new one is tried at once. */
  renew(): void;
  close(): void;
}

type AmitySocket = Socket<ServerToClientEvents, ClientToServerEvents>;

function isAboutToken(fault: Fault): boolean {
  return fault.code === 'unauthenticated' || fault.code === 'token_expired';
}

function createSocket(options: ConnectionOptions, token: () => string): AmitySocket {
  const settings = {
    autoConnect: false,
    forceNew: true,
    transports: ['websocket'],
    reconnectionDelay: options.reconnectDelayMs,
    reconnectionDelayMax: options.reconnectDelayMs * 10,
    auth: (give: (data: object) => void) =>
      give({
        token: token(),
        protocolVersion: PROTOCOL_VERSION,
        ...(options.deviceId === undefined ? {} : { deviceId: options.deviceId }),
      }),
  };
  return options.url === undefined ? io(settings) : io(options.url, settings);
}

/** What `emit` looks like for any one event; Socket.IO's own type cannot follow a generic name. */
type Emit<E extends ClientEvent> = (
  event: E,
  payload: Payload<E>,
  answered: (error: Error | null, ack: Ack<Value<E>>) => void,
) => void;

function createRequest(socket: AmitySocket, ackTimeoutMs: number): Connection['request'] {
  return <E extends ClientEvent>(
    event: E,
    payload: Payload<E>,
    take?: (outcome: Outcome<Value<E>>) => void,
  ) =>
    new Promise<Outcome<Value<E>>>((resolve) => {
      const settle = (outcome: Outcome<Value<E>>) => {
        take?.(outcome);
        resolve(outcome);
      };
      if (!socket.connected) return settle({ ok: false, error: disconnectedFault });
      const timed = socket.timeout(ackTimeoutMs);
      const emit = timed.emit.bind(timed) as unknown as Emit<E>;
      emit(event, payload, (error, ack) => {
        if (error === null) settle(ack);
        else settle({ ok: false, error: socket.connected ? timeoutFault : disconnectedFault });
      });
    });
}

interface SocketNews {
  refused(fault: Fault): void;
  /** `isKicked`: the server closed the connection, and Socket.IO does not try again by itself. */
  lost(isKicked: boolean): void;
  heard(action: ServerAction): void;
}

function listen(socket: AmitySocket, news: SocketNews): void {
  socket.on('connect_error', (error: Error & { data?: unknown }) => {
    // `active`: the transport failed, and Socket.IO tries again by itself. Otherwise the server said no.
    if (socket.active) news.lost(false);
    else news.refused(parseFault(error.data));
  });
  socket.on('disconnect', (reason) => {
    if (reason !== 'io client disconnect') news.lost(reason === 'io server disconnect');
  });
  socket.onAny((type: string, payload: unknown) => {
    // Unknown names of later servers are let through: the reducer ignores them.
    news.heard({ type, payload } as ServerAction);
  });
}

/** A server that stops asks its devices to come back one after another. */
function pace(socket: AmitySocket, action: ServerAction, reconnectDelayMs: number): void {
  if (action.type === 'server:draining') socket.io.reconnectionDelay(action.payload.reconnectInMs);
  if (action.type === 'session:ready') socket.io.reconnectionDelay(reconnectDelayMs);
}

interface HeldToken {
  token: string;
  /** One was turned down since the last session: the next refusal is final. */
  isFresh: boolean;
}

/** Before the token ends. Without success the server ends the connection with it, and the next one needs a token anyway. */
async function refresh(held: HeldToken, auth: Auth, request: Connection['request']): Promise<void> {
  if (typeof auth !== 'function') return;
  const given = await auth(null).catch(() => held.token);
  if (given === held.token) return;
  held.token = given;
  await request('auth:refresh', { token: given });
}

function giveUp(socket: AmitySocket): void {
  if (socket.connected) socket.io.engine.close();
}

export function openConnection(options: ConnectionOptions): Connection {
  const { auth, onState, onEvent, reconnectDelayMs } = options;
  const held: HeldToken = { token: '', isFresh: false };
  let isClosed = false;
  /** Only the newest attempt may go on after it waited for its token. */
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const socket = createSocket(options, () => held.token);
  const request = createRequest(socket, options.ackTimeoutMs);

  function later(fault: Fault | null): void {
    onState({ state: 'offline' });
    clearTimeout(timer);
    timer = setTimeout(() => void connect(null), fault?.retryAfterMs ?? reconnectDelayMs * 4);
  }

  async function connect(refused: ErrorCode | null): Promise<void> {
    attempt += 1;
    const mine = attempt;
    clearTimeout(timer);
    try {
      const given = typeof auth === 'function' ? await auth(refused) : auth.token;
      if (isClosed || mine !== attempt) return;
      held.token = given;
      socket.connect();
    } catch (error) {
      if (isClosed || mine !== attempt) return;
      const fault = error instanceof AmityError ? error.fault : null;
      if (fault !== null && !fault.retryable) onState({ state: 'refused', error: fault });
      else later(fault);
    }
  }

  function refuse(fault: Fault): void {
    if (isAboutToken(fault) && typeof auth === 'function' && !held.isFresh) {
      held.isFresh = true;
      void connect(fault.code as ErrorCode);
    } else if (fault.retryable) later(fault);
    else onState({ state: 'refused', error: fault });
  }

  listen(socket, {
    refused: refuse,
    lost: (isKicked) => (isKicked ? later(null) : onState({ state: 'offline' })),
    heard(action) {
      if (action.type === 'session:ready') held.isFresh = false;
      if (action.type === 'session:expiring') void refresh(held, auth, request);
      pace(socket, action, reconnectDelayMs);
      onEvent(action);
    },
  });
  void connect(null);

  return {
    request,
    reconnect() {
      if (isClosed || socket.connected) return;
      onState({ state: 'connecting' });
      socket.disconnect();
      void connect(null);
    },
    renew: () => giveUp(socket),
    close() {
      isClosed = true;
      clearTimeout(timer);
      socket.disconnect();
      onState({ state: 'closed' });
    },
  };
}
