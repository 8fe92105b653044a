/**
 * An app in a process of its own that sends numbered messages with the SDK, and whose outbox is a file: it may be killed at any moment and goes on
 * with the next number when it is started again. Says how far it has come.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createAmityClient } from '../../../src/client/amity-client.ts';
import type { ConversationState } from '../../../src/client/state.ts';

const [url = '', token = '', file = '', last = '0'] = process.argv.slice(2);
/** Messages that may wait to be sent: what a person types while the link is down. */
const aheadMax = 5;

const kept: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const outbox = {
  getItem: (key: string) => kept[key] ?? null,
  setItem(key: string, value: string) {
    kept[key] = value;
    // As phones do it: the old one or the new one, never half of it.
    writeFileSync(`${file}.new`, JSON.stringify(kept));
    renameSync(`${file}.new`, file);
  },
};
const client = createAmityClient({ url, auth: { token }, outbox, reconnectDelayMs: 20, ackTimeoutMs: 2000 });

await until(({ synced }) => synced);
const numbers = client
  .getSnapshot()
  .messages.map(({ text }) => Number(/^message (\d+)$/.exec(text)?.[1] ?? 0));
for (let next = 1 + Math.max(0, ...numbers); next <= Number(last); next += 1) {
  await until(({ outgoing }) => outgoing.length < aheadMax);
  client.send(`message ${next}`);
  process.stdout.write(`${next}\n`);
}
await until(({ outgoing, synced }) => synced && outgoing.length === 0);
client.close();

function until(isIt: (state: ConversationState) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const state = client.getSnapshot();
      const failed = state.outgoing.find(({ delivery }) => delivery === 'failed');
      if (failed !== undefined) reject(new Error(`"${failed.text}" failed: ${failed.error?.code}`));
      else if (isIt(state)) resolve();
      else return;
      unsubscribe();
    };
    const unsubscribe = client.subscribe(look);
    look();
  });
}
