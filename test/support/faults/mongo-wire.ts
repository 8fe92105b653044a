/**
 * A link to a MongoDB server that fails as real ones do: it is cut before the server has got a command, or after the server has carried it out;
 * the server is not the primary any more, does not come to it in time, finds that what it is to insert is there already, or has lost a cursor.
 *
 * It reads what goes over the wire: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { mongo } from 'mongoose';

/** Whatever the command is. */
const anyTime = ['cut before', 'not primary', 'cut after', 'time-out'] as const;
export const wireFaults = [...anyTime, 'duplicate key', 'cursor lost'] as const;
export type WireFault = (typeof wireFaults)[number];

export interface MongoWire extends AsyncDisposable {
  /** The same database, reached over this link. */
  address(uri: string): string;
  /** How often each fault has happened. */
  readonly happened: ReadonlyMap<WireFault, number>;
  /** Lets one of so many commands fail, in one way after another; null: none. */
  failEvery(commands: number | null): void;
  /** Commands of this name do not get through until what is returned is called. */
  hold(command: string): { readonly held: Promise<void>; readonly release: () => void };
}

/** What the server says, with what tells a driver that it may ask once more. */
const refusals: Readonly<Partial<Record<WireFault, object>>> = {
  'not primary': { code: 10107, codeName: 'NotWritablePrimary', errorLabels: ['RetryableWriteError'] },
  'time-out': { code: 262, codeName: 'ExceededTimeLimit', errorLabels: ['RetryableWriteError'] },
  'cursor lost': { code: 43, codeName: 'CursorNotFound' },
};

const opMessage = 2013;
/** Length, id, what it answers, kind. */
const headerBytes = 16;
/** Flags, and the kind of the first section. */
const bodyAt = headerBytes + 4 + 1;
/** After so many faults the link is good until it is told to fail again: each takes up to half a second. */
const faultsMax = 20;
/** What drivers ask of their own accord, and no store waits for. */
const byDriver = /^(hello|ismaster|isMaster|ping|endSessions|killCursors|sasl.*)$/;

export async function openMongoWire(target: string): Promise<MongoWire> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const faults = new Faults();
  let gate: Gate | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const destroy = () => {
      client.destroy();
      upstream.destroy();
    };
    let asked: Asked | null = null;
    let isHeldBack = false;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', destroy);
      socket.on('close', () => {
        open.delete(socket);
        faults.forget(asked);
        destroy();
      });
    }
    eachMessage(client, (message) => {
      asked = faults.meet(message);
      const { fault } = asked;
      const refusal = fault === null ? undefined : refusals[fault];
      if (fault === 'cut before') destroy();
      else if (gate !== null && gate.command === commandOf(message)?.name)
        gate.keep(() => upstream.write(message));
      else if (refusal === undefined) {
        // Twice, and the first answer gets lost. The server would know it again by its number.
        isHeldBack = fault === 'duplicate key';
        const sent = isHeldBack ? withoutNumber(message) : message;
        upstream.write(sent);
        if (isHeldBack) upstream.write(sent);
      } else {
        faults.forget(asked);
        client.write(answer(message, { ok: 0, errmsg: fault, ...refusal }));
      }
    });
    eachMessage(upstream, (message) => {
      if (isHeldBack) {
        isHeldBack = false;
        return;
      }
      faults.forget(asked);
      if (asked?.fault === 'cut after') destroy();
      else client.write(message);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: (uri) => {
      const url = new URL(uri);
      url.port = `${(server.address() as AddressInfo).port}`;
      // A driver that found out where the server is would go there.
      url.searchParams.set('directConnection', 'true');
      return url.href;
    },
    happened: faults.happened,
    failEvery: (commands) => faults.every(commands),
    hold(command) {
      const kept: (() => void)[] = [];
      return {
        held: new Promise((resolve) => {
          gate = {
            command,
            keep: (send) => {
              kept.push(send);
              resolve();
            },
          };
        }),
        release() {
          gate = null;
          for (const send of kept) send();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Gate {
  readonly command: string;
  readonly keep: (send: () => void) => void;
}

interface Asked {
  readonly fault: WireFault | null;
}

/** Which command fails, and how. */
class Faults {
  readonly happened = new Map<WireFault, number>();
  readonly #unanswered = new Set<Asked>();
  /** Commands that have failed: who asks once more is answered. */
  readonly #failed = new Set<string>();
  #every: number | null = null;
  #left = 0;
  #faultsLeft = 0;
  #turn = 0;
  #continued = 0;
  #inserts = 0;

  every(commands: number | null): void {
    this.#every = commands;
    this.#faultsLeft = faultsMax;
  }

  meet(message: Buffer): Asked {
    const command = commandOf(message);
    const isAsked = command !== null && !byDriver.test(command.name);
    const asked = { fault: isAsked && this.#every !== null ? this.#draw(command, this.#every) : null };
    if (isAsked) this.#unanswered.add(asked);
    if (asked.fault !== null) this.happened.set(asked.fault, (this.happened.get(asked.fault) ?? 0) + 1);
    return asked;
  }

  /** It is answered, or nobody waits for it any more. */
  forget(asked: Asked | null): void {
    if (asked !== null) this.#unanswered.delete(asked);
  }

  #draw({ name, identity }: Command, every: number): WireFault | null {
    if (name === 'getMore') {
      this.#continued += 1;
      return this.#continued % 5 === 1 ? 'cursor lost' : null;
    }
    if (name === 'insert') {
      this.#inserts += 1;
      if (this.#inserts % 7 === 1) return 'duplicate key';
    }
    this.#left -= 1;
    if (this.#left > 0 || this.#faultsLeft === 0) return null;
    const fault = anyTime[this.#turn % anyTime.length] ?? null;
    // With a connection fails what others ask at the same moment; asked once more it might fail again.
    if (fault?.startsWith('cut') && this.#unanswered.size > 0) return null;
    const what = identity();
    if (this.#failed.has(what)) return null;
    this.#failed.add(what);
    this.#turn += 1;
    this.#faultsLeft -= 1;
    this.#left = every;
    return fault;
  }
}

function eachMessage(socket: Socket, take: (message: Buffer) => void): void {
  let got: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
    while (got.length >= 4 && got.length >= got.readInt32LE(0)) {
      const length = got.readInt32LE(0);
      const message = got.subarray(0, length);
      got = got.subarray(length);
      take(message);
    }
  });
}

interface Command {
  readonly name: string;
  /** The same for one that is sent again. */
  identity(): string;
}

/** Null for what is no OP_MSG, as the first word of a connection. */
function commandOf(message: Buffer): Command | null {
  if (message.readInt32LE(12) !== opMessage) return null;
  // Behind the length of the body and the type of its first field comes that field's name, and it is the command.
  const nameAt = bodyAt + 4 + 1;
  return {
    name: message.toString('latin1', nameAt, message.indexOf(0, nameAt)),
    identity() {
      const end = bodyAt + message.readInt32LE(bodyAt);
      const {
        lsid: _,
        txnNumber: __,
        $clusterTime: ___,
        ...body
      } = mongo.BSON.deserialize(message.subarray(bodyAt, end));
      return JSON.stringify(body) + message.toString('latin1', end);
    },
  };
}

function withoutNumber(message: Buffer): Buffer {
  const end = bodyAt + message.readInt32LE(bodyAt);
  const { txnNumber: _, ...body } = mongo.BSON.deserialize(message.subarray(bodyAt, end), {
    promoteLongs: false,
    promoteValues: false,
  });
  const sent = Buffer.concat([
    message.subarray(0, bodyAt),
    mongo.BSON.serialize(body),
    message.subarray(end),
  ]);
  sent.writeInt32LE(sent.length, 0);
  return sent;
}

function answer(asked: Buffer, reply: object): Buffer {
  const body = mongo.BSON.serialize(reply);
  const head = Buffer.alloc(bodyAt);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(asked.readInt32LE(4), 8);
  head.writeInt32LE(opMessage, 12);
  return Buffer.concat([head, body]);
}
