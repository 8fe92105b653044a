/**
 * A process of its own that writes to an embedded store, for tests that kill it or let several race. It says `ready`,
 * waits for a line, and reports each turn in one line when the store has it.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';

const [file = '', name = '', turns = '0'] = process.argv.slice(2);
/** Written at once, not when the event loop comes to it: what was reported before a kill has been stored. */
const report = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);

await using store = await openEmbeddedStore({ file });
const { conversationId } = await store.defaultConversation({ userId: 'ada', newConversationId: name, at: 1 });
const lines = createInterface(process.stdin);
report({ ready: true });
await once(lines, 'line');
lines.close();

for (let n = 1; n <= Number(turns); n += 1) {
  const generationId = `${name}-generation-${n}`;
  const appended = await store.appendTurn({
    userId: 'ada',
    conversationId,
    clientMessageId: `client-${n}`,
    bodyHash: `hash-${n}`,
    text: `message ${n}`,
    parentId: undefined,
    userMessageId: `${name}-message-${n}`,
    companionMessageId: `${name}-reply-${n}`,
    generationId,
    at: n,
  });
  if (appended.kind === 'created') {
    report({ kind: 'created', n, messageId: appended.user.messageId });
    await store.endGeneration({
      generationId,
      status: 'done',
      finishReason: 'stop',
      text: `reply ${n}`,
      candidates: [],
      shownCandidateId: null,
      propensity: null,
      at: n,
    });
    report({ kind: 'ended', n, messageId: appended.companion.messageId });
  } else {
    report({ kind: appended.kind, n });
  }
}
