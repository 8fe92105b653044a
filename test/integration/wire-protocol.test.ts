/**
 * The cases of the test suites of the Engine.IO v4 and Socket.IO v5 protocols (https://github.com/socketio/socket.io/tree/main/docs) that apply
 * here: WebSocket is the only transport by default, and there is one namespace, into which a token leads.
 */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer();
  ({ token } = await server.guest());
});
afterAll(() => server[Symbol.asyncDispose]());

const websocket = '/socket.io/?EIO=4&transport=websocket';

/** A connection whose packets are read one by one. */
class Packets implements AsyncDisposable {
  readonly socket: RawWebSocket;
  readonly closed: Promise<'closed'>;
  readonly #seen: string[] = [];
  #wake: () => void = () => {};

  private constructor(socket: RawWebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.onClose(() => resolve('closed')));
    socket.onText((text) => {
      this.#seen.push(text);
      this.#wake();
    });
  }

  static async open(path = websocket): Promise<Packets> {
    return new Packets(await RawWebSocket.open(server.url, path));
  }

  /** With a session, past what is told at its beginning. */
  static async connected(): Promise<Packets> {
    const packets = await Packets.open();
    await packets.next('0');
    packets.socket.send(`40${JSON.stringify({ token })}`);
    await packets.next('40');
    await packets.next('42["session:ready"');
    return packets;
  }

  /** The next packet that begins so; others before it are passed over. */
  async next(start: string): Promise<string> {
    for (;;) {
      const place = this.#seen.findIndex((text) => text.startsWith(start));
      if (place >= 0) return this.#seen.splice(0, place + 1).at(-1) ?? '';
      const came = new Promise<'came'>((resolve) => {
        this.#wake = () => resolve('came');
      });
      if ((await Promise.race([came, this.closed])) === 'closed') throw new Error(`closed before "${start}"`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket.close();
  }
}

/** The status with which a plain request is answered. */
function statusOf(method: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(server.url + path, { method }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('Engine.IO', () => {
  it('opens a WebSocket with its handshake', async () => {
    await using packets = await Packets.open();
    const handshake = JSON.parse((await packets.next('0')).slice(1));
    expect(handshake).toEqual({
      sid: expect.any(String),
      upgrades: [],
      pingInterval: 12_500,
      pingTimeout: 10_000,
      maxPayload: 32_768,
    });
  });

  it.each([
    ['no version', '/socket.io/?transport=websocket'],
    ['a version that is none', '/socket.io/?EIO=abc&transport=websocket'],
    ['no transport', '/socket.io/?EIO=4'],
    ['a transport that is none', '/socket.io/?EIO=4&transport=abc'],
    ['an unknown session', `${websocket}&sid=unknown`],
  ])('refuses a WebSocket with %s', async (_what, path) => {
    // Before the upgrade, or right after it.
    const opened = Packets.open(path).then((packets) => packets.next('0'));
    await expect(opened).rejects.toThrow();
  });

  it.each([
    ['long polling, which is off', 'GET', '/socket.io/?EIO=4&transport=polling'],
    ['an unknown session', 'GET', '/socket.io/?EIO=4&transport=polling&sid=unknown'],
    ['a method that is none', 'PUT', '/socket.io/?EIO=4&transport=polling'],
    ['a WebSocket without its upgrade', 'GET', websocket],
  ])('answers a request for %s with 400', async (_what, method, path) => {
    expect(await statusOf(method, path)).toBe(400);
  });

  it('sends pings, stays while they are answered, and closes when one is not', {
    timeout: 60_000,
  }, async () => {
    await using answering = await Packets.connected();
    await using silent = await Packets.connected();
    await answering.next('2');
    answering.socket.send('3');
    await silent.next('2');
    expect(await silent.closed).toBe('closed');
    expect(answering.socket.isOpen).toBe(true);
  });

  it('closes when it is told to', async () => {
    await using packets = await Packets.connected();
    packets.socket.send('1');
    expect(await packets.closed).toBe('closed');
  });

  it.each(['abc', '9', ''])('closes at the packet "%s", which is none', async (packet) => {
    await using packets = await Packets.open();
    await packets.next('0');
    packets.socket.send(packet);
    expect(await packets.closed).toBe('closed');
  });
});

it('stops also when a peer does not answer the end of its connection', { timeout: 15_000 }, async () => {
  const stopping = await startTestServer();
  // Without a listener it reads nothing.
  const mute = await RawWebSocket.open(stopping.url, websocket);
  await stopping[Symbol.asyncDispose]();
  await mute.close();
});

describe('Socket.IO', () => {
  it('connects to the namespace with what the client shows', async () => {
    await using packets = await Packets.open();
    await packets.next('0');
    packets.socket.send(`40${JSON.stringify({ token })}`);
    expect(JSON.parse((await packets.next('40')).slice(2))).toEqual({ sid: expect.any(String) });
  });

  it('says why it does not connect somebody', async () => {
    await using packets = await Packets.open();
    await packets.next('0');
    packets.socket.send('40');
    const refusal = JSON.parse((await packets.next('44')).slice(2));
    expect(refusal).toMatchObject({ data: { code: 'unauthenticated' } });
  });

  it('knows no other namespace', async () => {
    await using packets = await Packets.connected();
    packets.socket.send('40/random,');
    expect(await packets.next('44/random,')).toBe('44/random,{"message":"Invalid namespace"}');
  });

  it('closes at a handshake that is malformed', async () => {
    await using packets = await Packets.open();
    await packets.next('0');
    packets.socket.send('4abc');
    expect(await packets.closed).toBe('closed');
  });

  it('closes when no handshake comes', { timeout: 15_000 }, async () => {
    await using packets = await Packets.open();
    await packets.next('0');
    expect(await packets.closed).toBe('closed');
  });

  it('lets a client leave the namespace', async () => {
    await using packets = await Packets.connected();
    packets.socket.send('41');
    packets.socket.send('421["settings:get",{}]');
    expect(await packets.closed).toBe('closed');
  });

  it('answers an event under the id with which it came', async () => {
    await using packets = await Packets.connected();
    packets.socket.send('42456["settings:get",{}]');
    expect(JSON.parse((await packets.next('43')).replace('43456', ''))).toMatchObject([{ ok: true }]);
    packets.socket.send('42["settings:get",{}]');
    packets.socket.send('42457["settings:get",{}]');
    expect(await packets.next('43')).toMatch(/^43457\[/);
  });

  it.each([
    '4',
    '42',
    '42{}',
    '42[]',
    '42["settings:get"',
    '4212abc',
    '43',
    '49[]',
    '45-["x"]',
    '451-["settings:get",{"_placeholder":true,"num":9}]',
  ])('closes at the packet "%s", or takes it as no event', async (packet) => {
    await using packets = await Packets.connected();
    packets.socket.send(packet);
    packets.socket.send('42458["settings:get",{}]');
    const answered = packets.next('43458').then(
      () => 'answered',
      () => 'closed',
    );
    expect(['answered', 'closed']).toContain(await answered);
  });
});
