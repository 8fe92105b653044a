/** The SDK sends through a link that fails again and again, in an app that is killed again and again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAmityClient } from '../../../src/client/amity-client.ts';
import type { ConversationState } from '../../../src/client/state.ts';
import { uniformAt } from '../../../src/engine/uniform.ts';
import { guestsAt } from '../wire-client.ts';
import { type FaultKind, faultKinds, openFaultProxy } from './fault-proxy.ts';

export interface SendOptions {
  readonly messages: number;
  /** Times that the app is killed. */
  readonly restarts: number;
  /** The server has sent so much at most when the link fails once more. A page of the conversation, which comes first, must fit. */
  readonly bytesBetweenFaults: number;
  readonly seed: number;
}

export interface SendReport {
  readonly messages: number;
  readonly restarts: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The texts of the user's messages, as another device reads them from the server. */
  readonly stored: readonly string[];
  readonly userId: string;
}

export async function runSends(url: string, options: SendOptions): Promise<SendReport> {
  const { messages, restarts, bytesBetweenFaults, seed } = options;
  let drawn = 0;
  const pick = (below: number) => Math.floor(uniformAt(seed, 2, drawn++) * below);
  const scratch = await mkdtemp(join(tmpdir(), 'amity-sends-'));
  await using proxy = await openFaultProxy(url);
  // Of a black hole an app hears after two silent requests: seldom enough to come to an end.
  const draw = () => ({
    kind: pick(40) === 0 ? ('black hole' as const) : (faultKinds[pick(3)] ?? 'reset'),
    afterBytes: pick(bytesBetweenFaults),
  });
  proxy.failEach(draw);
  const { token, userId } = await guestsAt(url).guest();
  const deaths = Array.from({ length: restarts }, () => 1 + pick(messages)).sort((a, b) => a - b);
  for (const death of [...deaths, null])
    await sendUntil(death, [proxy.url, token, join(scratch, 'outbox.json'), String(messages)]);
  await rm(scratch, { recursive: true });
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const kind of proxy.happened) faults[kind] = (faults[kind] ?? 0) + 1;
  return { messages, restarts, faults, stored: await readAll(url, token), userId };
}

/** Runs the app until it has said this number, and kills it then; null: until it is done. */
async function sendUntil(death: number | null, args: readonly string[]): Promise<void> {
  const program = fileURLToPath(new URL('./sdk-sender.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const said = text.trim().split('\n').map(Number);
    if (death !== null && said.some((number) => number >= death)) child.kill('SIGKILL');
  });
  const [code, signal] = await closed;
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The app ended with ${code}.`);
}

async function readAll(url: string, token: string): Promise<readonly string[]> {
  const client = createAmityClient({ url, auth: { token } });
  const until = (isIt: (state: ConversationState) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isIt(client.getSnapshot())) return;
        unsubscribe();
        resolve();
      };
      const unsubscribe = client.subscribe(look);
      look();
    });
  await until(({ synced }) => synced);
  while (client.getSnapshot().hasOlder) await client.loadOlder();
  const { messages } = client.getSnapshot();
  client.close();
  return messages.filter(({ role }) => role === 'user').map(({ text }) => text);
}
