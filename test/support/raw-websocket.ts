/** A WebSocket of bytes: what no well-behaved client would send can be sent with it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const textOpcode = 1;
const binaryOpcode = 2;
const closeOpcode = 8;

export class RawWebSocket {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  /** Without a listener what comes is kept for it. */
  #onText: ((text: string) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => this.#take(chunk));
  }

  /** Resolves when the server has agreed to speak WebSocket. @throws Error when it does not. */
  static async open(url: string, path: string): Promise<RawWebSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    const gone = once(socket, 'close').then(() =>
      Promise.reject(new Error('The server closed the connection.')),
    );
    const [answer] = (await Promise.race([once(socket, 'data'), gone])) as [Buffer];
    gone.catch(() => undefined);
    const end = answer.indexOf('\r\n\r\n') + 4;
    if (!answer.subarray(0, end).toString().startsWith('HTTP/1.1 101')) throw new Error(answer.toString());
    const raw = new RawWebSocket(socket);
    raw.#take(answer.subarray(end));
    return raw;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** Told of each text frame, those included that have come already. */
  onText(listener: (text: string) => void): void {
    this.#onText = listener;
    this.#take(Buffer.alloc(0));
  }

  onClose(listener: () => void): void {
    if (this.#socket.destroyed) listener();
    else this.#socket.once('close', listener);
  }

  send(data: string | Buffer): void {
    const isText = typeof data === 'string';
    this.#write(isText ? textOpcode : binaryOpcode, Buffer.from(data as string));
  }

  /** Bytes as they are, below the frames of WebSocket. */
  sendBytes(bytes: Buffer): void {
    if (this.isOpen) this.#socket.write(bytes);
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  #write(opcode: number, payload: Buffer): void {
    if (!this.isOpen) return;
    const head =
      payload.length < 126
        ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
        : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
    const mask = randomBytes(4);
    const masked = Buffer.from(payload.map((byte, place) => byte ^ (mask[place & 3] ?? 0)));
    this.#socket.write(Buffer.concat([head, mask, masked]));
  }

  /** Servers do not mask, and this one does not fragment. */
  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const onText = this.#onText;
    if (onText === null) return;
    for (let frame = this.#next(); frame !== null; frame = this.#next()) {
      if (frame.opcode === textOpcode) onText(frame.payload.toString());
      // Else the server waits half a minute for an answer before it lets the connection go.
      if (frame.opcode === closeOpcode) this.#socket.destroy();
    }
  }

  #next(): { opcode: number; payload: Buffer } | null {
    const bytes = this.#received;
    if (bytes.length < 2) return null;
    const short = (bytes[1] ?? 0) & 0x7f;
    const headLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < headLength) return null;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < headLength + length) return null;
    this.#received = bytes.subarray(headLength + length);
    return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(headLength, headLength + length) };
  }
}
