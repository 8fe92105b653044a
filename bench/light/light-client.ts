/** A Socket.IO client of few bytes, so that ten thousand of them and their server fit on one machine: raw WebSocket frames, made beforehand. */
import { connect, type Socket } from 'node:net';

const pong = frame('3');

/** @param at the time of the answer, by `performance.now()`; @param ok whether it was no refusal */
type Answered = (at: number, ok: boolean) => void;

export class LightClient {
  readonly #socket: Socket;
  readonly #user: string;
  readonly #waiting = new Map<number, Answered>();
  #rest: Buffer | null = null;
  #isUpgraded = false;
  #lastId = 0;
  #onReady: () => void = () => {};

  private constructor(socket: Socket, user: string) {
    this.#socket = socket;
    this.#user = user;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
  }

  /** Resolves when the session is ready. @param user the token, and the user; @param address what the proxy in front is made to say */
  static open(port: number, user: string, address: string): Promise<LightClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const client = new LightClient(socket, user);
      client.#onReady = () => resolve(client);
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('The server closed the connection.')));
      socket.write(
        `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n` +
          `X-Forwarded-For: ${address}\r\n\r\n`,
      );
    });
  }

  call(event: string, payload: object, answered: Answered): void {
    const id = this.#lastId++;
    this.#waiting.set(id, answered);
    if (!this.#socket.destroyed) this.#socket.write(frame(`42${id}${JSON.stringify([event, payload])}`));
  }

  /** Reads nothing any more, not even that it has been cut off. */
  stall(): void {
    this.#socket.pause();
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      this.#isUpgraded = true;
      bytes = bytes.subarray(end + 4);
    }
    while (bytes.length >= 2) {
      const short = (bytes[1] ?? 0) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < head) break;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < head + length) break;
      this.#text(bytes.subarray(head, head + length));
      bytes = bytes.subarray(head + length);
    }
    // A copy: a slice would keep the whole chunk alive.
    if (bytes.length > 0) this.#rest = Buffer.from(bytes);
  }

  /** Only as much of a packet is read as tells what it is. */
  #text(packet: Buffer): void {
    const isMessage = packet[0] === 0x34;
    if (packet[0] === 0x32) this.#socket.write(pong);
    else if (packet[0] === 0x30) this.#socket.write(frame(`40${JSON.stringify({ token: this.#user })}`));
    else if (isMessage && packet[1] === 0x33) {
      const id = Number.parseInt(packet.toString('latin1', 2, 14), 10);
      const answered = this.#waiting.get(id);
      this.#waiting.delete(id);
      answered?.(performance.now(), packet.indexOf('"ok":true') > 0);
    } else if (isMessage && packet[1] === 0x32 && packet.indexOf('session:ready') > 0) this.#onReady();
    else if (isMessage && packet[1] === 0x34) throw new Error(packet.toString());
  }
}

/** Masked with zeros, as the protocol allows: the bytes stay as they are. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}
