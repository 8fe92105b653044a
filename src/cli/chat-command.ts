/** `amity chat`: talk from a terminal, with a server here or anywhere, by the same client as the page. */
import { join } from 'node:path';
import { Command } from 'commander';
import { createAmityClient } from '../client/amity-client.ts';
import { guestToken } from '../client/guest-token.ts';
import type { ConversationState } from '../client/state.ts';
import type { Config } from '../config/load.ts';
import { help } from './chat/commands.ts';
import { ChatSession } from './chat/session.ts';
import { flushed, openTerminal, type Streams } from './chat/terminal.ts';
import { tokenFiles } from './chat/token-file.ts';
import { faultText } from './chat/words.ts';

interface ChatFlags {
  readonly token?: string;
}

/** How long a server may take to answer before it counts as not there. */
const connectTimeoutMs = 10_000;

export function createChatCommand(
  settings: () => Config,
  streams: Streams = { input: process.stdin, output: process.stdout, errors: process.stderr },
): Command {
  return new Command('chat')
    .description('talk with the companion of a running server')
    .argument('[url]', 'address of the server; without it the one that serves here: http://localhost:$PORT')
    .option(
      '--token <token>',
      'token of a server with sign-in (or AMITY_CHAT_TOKEN); else you are a guest who is remembered',
    )
    .addHelpText(
      'after',
      `\nIn the conversation:\n${help}\n\nWithout a terminal each line of standard input is a message; replies go to standard output, all else to\nstandard error. Exit code 1 when the server cannot be reached or a message was not answered.`,
    )
    .action(async (url: string | undefined, flags: ChatFlags) => {
      const config = settings();
      const address = parseAddress(url ?? `http://localhost:${config.server.port}`);
      const token = flags.token ?? config.chatToken;
      process.exitCode = await chat(address, { token, config, streams });
    });
}

async function chat(
  url: URL,
  { token, config, streams }: { token: string | undefined; config: Config; streams: Streams },
): Promise<number> {
  const storage = tokenFiles(join(config.dataDirectory, 'chat'), url);
  const client = createAmityClient({
    url: url.origin,
    auth: token === undefined ? (refused) => guestToken(url.origin, storage, { refused }) : { token },
  });
  try {
    const problem = await connected(client, url);
    if (problem !== null) {
      streams.errors.write(`${problem}\n`);
      return 1;
    }
    let session: ChatSession | undefined;
    using terminal = openTerminal(streams, () => session?.interrupt());
    session = new ChatSession(client, terminal);
    return (await session.run()) ? 0 : 1;
  } finally {
    client.close();
    await flushed(streams.output);
  }
}

/** Resolves with null when the conversation is there, or with why it is not. */
async function connected(client: ReturnType<typeof createAmityClient>, url: URL): Promise<string | null> {
  const problemOf = ({ connection, fault }: ConversationState): string | null => {
    if (connection.state === 'refused') return faultText(connection.error);
    if (fault?.about === 'open') return faultText(fault.error);
    return connection.state === 'offline'
      ? `No server answers at ${url.origin}. Is it running there? \`npm start\` or \`amity serve\` starts one.`
      : null;
  };
  return await new Promise((resolve) => {
    const settle = (problem: string | null) => {
      clearTimeout(timer);
      unsubscribe();
      resolve(problem);
    };
    const timer = setTimeout(() => settle(`The server at ${url.origin} does not answer.`), connectTimeoutMs);
    const look = () => {
      const state = client.getSnapshot();
      const problem = problemOf(state);
      if (problem !== null || state.loaded) settle(problem);
    };
    const unsubscribe = client.subscribe(look);
    look();
  });
}

/** @throws Error with one sentence */
function parseAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new Error(`${text} is no address of a server, such as https://chat.example.org.`);
}
