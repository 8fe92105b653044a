/** `amity chat` as a process of its own on a real server, as a script uses it; and its session at a terminal that is none. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatSession } from '../../src/cli/chat/session.ts';
import type { Terminal } from '../../src/cli/chat/terminal.ts';
import { createAmityClient } from '../../src/client/amity-client.ts';
import { Pulse } from '../../src/std/pulse.ts';
import { startCli } from '../support/cli-process.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { makeTinyModel } from '../support/tiny-model.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

let directory: string;
let server: TestServer;
let endless: TestServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-chat-'));
  server = await startTestServer();
  const modelsDirectory = join(directory, 'models');
  await makeTinyModel(join(modelsDirectory, 'endless'), { kind: 'counting', endless: true });
  endless = await startTestServer({
    modelsDirectory,
    env: { MODEL: 'endless', AMITY_REPLY_TOKENS_MAX: '1000', AMITY_REPLY_TOKENS_SOFT_MAX: '1000' },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await endless[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

let people = 0;
/** Somebody who was never there before. */
const someone = () => ({ DATA_DIR: join(directory, `person-${people++}`) });

describe('amity chat at a pipe', () => {
  it('says each line, waits for its reply, and prints nothing else to standard output', async () => {
    await using cli = startCli(['chat', server.url], someone(), 'Hello\nAgain\\\nand again\n');
    expect(await cli.ended).toMatchObject({ code: 0, output: `${alphabet}\n${alphabet}\n` });
    expect(cli.errors()).toBe('');
  });

  it('is the same guest the next time, in a file that nobody else reads', async () => {
    const env = someone();
    await using first = startCli(['chat', server.url], env, 'Remember me\n');
    expect((await first.ended).code).toBe(0);
    const [file = ''] = await readdir(join(env.DATA_DIR, 'chat'));
    expect((await stat(join(env.DATA_DIR, 'chat', file))).mode & 0o777).toBe(0o600);
    await using second = startCli(['chat', server.url], env, '/history\n');
    expect((await second.ended).code).toBe(0);
    expect(second.errors()).toBe(`You: Remember me\nAmity: ${alphabet}\n`);
  });

  it('reacts, lists alternatives, edits and has a reply written anew', async () => {
    const lines = ['Hi', '/react love', '/unreact', '/alternatives', '/edit Hello', '/regenerate', '/stop'];
    await using cli = startCli(['chat', server.url], someone(), `${lines.join('\n')}\n`);
    const { code, output } = await cli.ended;
    expect(output).toBe(`${alphabet}\n`.repeat(3));
    for (const note of ['Noted: love.', 'No reaction.', `* 1. ${alphabet}`, 'Nothing is being written.']) {
      expect(cli.errors()).toContain(note);
    }
    expect(code).toBe(0);
  });

  it('ends with 1 after a line that it could not do, and does the others', async () => {
    await using cli = startCli(['chat', server.url], someone(), '/react up\n/raect up\nHi\n');
    expect(await cli.ended).toMatchObject({ code: 1, output: `${alphabet}\n` });
    expect(cli.errors()).toContain('There is no reply yet.');
    expect(cli.errors()).toContain('There is no /raect.');
  });

  it('goes on where a cut connection left a reply, and prints nothing twice', async () => {
    await using proxy = await openTcpProxy(endless.url);
    // In the middle of a reply of a thousand letters; how many a delta holds depends on the machine.
    proxy.cutAt(/"offset":[3-8]\d\d/);
    await using cli = startCli(['chat', proxy.url], someone(), 'Count\n');
    const { code, output } = await cli.ended;
    expect(code).toBe(0);
    expect(output).toBe(`${`${alphabet} `.repeat(1000).slice(0, output.length - 1)}\n`);
    expect(output.length).toBeGreaterThan(900);
    expect(proxy.connections()).toBeGreaterThan(2);
    expect(cli.errors()).toContain('[connection lost, trying again ...]\n[connected again]\n');
  });
});

describe('amity chat does not start', () => {
  it('where no server answers: one sentence with the remedy', async () => {
    await using cli = startCli(['chat', 'http://127.0.0.1:1'], someone(), 'Hi\n');
    expect(await cli.ended).toMatchObject({ code: 1, output: '' });
    expect(cli.errors()).toMatch(/^No server answers at http:\/\/127\.0\.0\.1:1\..*`npm start`.*\n$/);
  });

  it('with a token that the server does not know', async () => {
    await using cli = startCli(['chat', server.url, '--token', 'forged'], someone(), 'Hi\n');
    expect((await cli.ended).code).toBe(1);
    expect(cli.errors()).toBe('The server wants a token that it knows: give one with --token.\n');
  });

  it('with an address that is none', async () => {
    await using cli = startCli(['chat', 'localhost:3000'], someone());
    expect((await cli.ended).code).toBe(1);
    expect(cli.errors()).toBe(
      'localhost:3000 is no address of a server, such as https://chat.example.org.\n',
    );
  });
});

/** Somebody at a terminal: types when told to, and what was printed is kept. */
function createTerminal() {
  const typed: string[] = [];
  const changed = new Pulse();
  let printed = '';
  let isClosed = false;
  const print = (text: string) => {
    printed += text;
    changed.beat();
  };
  const terminal: Terminal = {
    isInteractive: true,
    write: print,
    note: (text) => print(`${text}\n`),
    setBusy: (isBusy, typing) => (isBusy && typing ? print('~') : undefined),
    async *lines() {
      while (!isClosed) {
        const line = typed.shift();
        if (line === undefined) await changed.wait();
        else yield line;
      }
    },
    close: () => {
      isClosed = true;
      changed.beat();
    },
    [Symbol.dispose]: () => {},
  };
  return {
    terminal,
    type: (line: string) => {
      typed.push(line);
      changed.beat();
    },
    /** What was printed since the last time, once this is there. */
    sees: async (pattern: RegExp) => {
      while (!pattern.test(printed)) await changed.wait();
      const all = printed;
      printed = '';
      return all;
    },
  };
}

describe('a session at a terminal', () => {
  async function open(on: TestServer) {
    const { token } = await on.guest();
    const client = createAmityClient({ url: on.url, auth: { token } });
    const loaded = new Pulse();
    client.subscribe(() => loaded.beat());
    while (!client.getSnapshot().loaded) await loaded.wait();
    const person = createTerminal();
    const session = new ChatSession(client, person.terminal);
    return { client, person, session, run: session.run(), token, [Symbol.dispose]: () => client.close() };
  }

  it('shows that the companion is typing, then the text as it comes, and stops it at Ctrl-C; the next one leaves', async () => {
    using chat = await open(endless);
    chat.person.type('Count');
    const seen = await chat.person.sees(/Amity: abcdef/);
    expect(seen).toMatch(/^~+Amity: abcdef/);
    chat.session.interrupt();
    expect(await chat.person.sees(/\n/)).toMatch(/^[a-z ]*\n\[stopped\]\n$/);
    chat.session.interrupt();
    expect(await chat.run).toBe(true);
  });

  it('shows what another device says and is answered', async () => {
    using chat = await open(server);
    const other = createAmityClient({ url: server.url, auth: { token: chat.token } });
    other.send('From my phone');
    expect(await chat.person.sees(new RegExp(`${alphabet}\n`))).toContain(
      'You, on another device: From my phone\n',
    );
    other.close();
    chat.person.type('/quit');
    expect(await chat.run).toBe(true);
  });
});
