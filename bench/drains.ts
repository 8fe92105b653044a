/**
 * SIGTERM while people are connected and replies are written, again and again.
 *
 *     npm run bench -- drains [--times 20] [--clients 1000] [--replies 20] [--json]
 *
 * A tiny model that writes long replies; all else is as by default. Whoever was reading a reply looks at it again after the next start: it has ended, what was shown is its
 * beginning, and the message that it answers is there.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeTinyModel } from '../test/support/tiny-model.ts';
import { guestsAt, WireClient } from '../test/support/wire-client.ts';
import { LightClient } from './light/light-client.ts';
import { describeMachine } from './machine.ts';
import { startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    clients: { type: 'string', default: '1000' },
    replies: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const [times, clients, replies] = [values.times, values.clients, values.replies].map(Number) as [
  number,
  number,
  number,
];

/** A reply that somebody was reading when the server was told to stop. */
interface Read {
  readonly token: string;
  readonly messageId: string;
  readonly generationId: string;
  readonly shown: string;
}

const models = await mkdtemp(join(tmpdir(), 'amity-drains-'));
await makeTinyModel(join(models, 'tiny'), { kind: 'counting', endless: true });
const settings = {
  ...{ MODELS_DIR: models, MODEL: 'tiny', AMITY_TEMPLATE: 'transcript', AMITY_PROMPT_TOKENS_MAX: '400' },
  ...{ AMITY_REPLY_TOKENS_MAX: '150', AMITY_REPLY_TOKENS_SOFT_MAX: '150', AMITY_CANDIDATES: '1' },
};

const exits: { code: number | null; seconds: number }[] = [];
const lost: string[] = [];
const reconnects: number[] = [];
const ends: Record<string, number> = {};
let guests: readonly { token: string }[] = [];
let idle: readonly { token: string }[] = [];
let read: readonly Read[] = [];
let dataDirectory: string | undefined;
for (let time = 1; time <= times + 1; time += 1) {
  const server = await startServerProcess(settings, dataDirectory);
  dataDirectory = server.dataDirectory;
  await lookAgain(server.url);
  if (time > times) {
    await server[Symbol.asyncDispose]();
    break;
  }
  process.stderr.write(`\r${time} of ${times}`);
  if (guests.length === 0) {
    const all = await Promise.all(Array.from({ length: clients }, () => guestsAt(server.url).guest()));
    [guests, idle] = [all.slice(0, replies), all.slice(replies)];
  }
  const port = Number(new URL(server.url).port);
  const connected = [];
  for (const { token } of idle) connected.push(await LightClient.open(port, token, '10.0.0.1'));
  const readers = await Promise.all(guests.map(({ token }) => ask(server.url, token)));
  const began = performance.now();
  server.child.kill('SIGTERM');
  const [code] = (await once(server.child, 'close')) as [number | null];
  exits.push({ code, seconds: Math.round(performance.now() - began) / 1000 });
  for (const client of connected) client.close();
  for (const { device } of readers)
    reconnects.push(...device.all('server:draining').map(({ reconnectInMs }) => reconnectInMs));
  read = readers.map(({ device, token, messageId, generationId }) => ({
    ...{ token, messageId, generationId, shown: device.textOf(generationId) },
  }));
}
process.stderr.write('\n');
await rm(models, { recursive: true });

const slowest = Math.max(...exits.map(({ seconds }) => seconds));
const result = {
  ...describeMachine(),
  ...{ times, clients, replies },
  exitCodes: [...new Set(exits.map(({ code }) => code))],
  exitSeconds: { slowest, all: exits.map(({ seconds }) => seconds) },
  drainingHeard: reconnects.length,
  reconnectInMs: { least: Math.min(...reconnects), most: Math.max(...reconnects) },
  ends,
  lost,
};
writeFileSync(new URL('results/drains.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exitCode = lost.length === 0 && exits.every(({ code }) => code === 0) ? 0 : 1;

/** Resolves when the reply has begun to be written. */
async function ask(url: string, token: string) {
  const device = await WireClient.open(url, token);
  const { messageId, generationId } = await device.say('Tell me a long story about the sea.');
  await device.next('reply:start', (start) => start.generationId === generationId);
  return { device, token, messageId, generationId };
}

async function lookAgain(url: string): Promise<void> {
  for (const { token, messageId, generationId, shown } of read) {
    await using device = await WireClient.open(url, token);
    const { text, status, message } = await device.call('generation:resume', { generationId, offset: 0 });
    ends[message?.finishReason ?? status] = (ends[message?.finishReason ?? status] ?? 0) + 1;
    if (message === undefined) lost.push(`${generationId} is ${status}`);
    if (!text.startsWith(shown)) lost.push(`${generationId} has another text than was shown`);
    const { messages } = await device.call('conversation:open', {});
    if (!messages.some((one) => one.messageId === messageId)) lost.push(`message ${messageId}`);
  }
}
