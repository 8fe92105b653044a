/**
 * A process of its own that writes to an embedded store, for tests that kill it or let several race. It says `ready`,
 * waits for a line, and reports each turn in one line when the store has it. What the store refuses because it is
 * locked is sent again, as a client does.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CodedError } from '../../src/std/coded-error.ts';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';

const attemptsMax = 30;

const [file = '', name = '', first = '1', last = '0'] = process.argv.slice(2);
/** Resolves when the line is handed over, so that the writer is never ahead of its reader. */
const report = (line: object) =>
  new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));

async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const again = error instanceof CodedError && error.code === 'store_unavailable';
      if (!again || attempt === attemptsMax) throw error;
      await report({ kind: 'refused', n: attempt });
    }
  }
}

await using store = await persist(() => openEmbeddedStore({ file }));
const { conversationId } = await persist(() =>
  store.defaultConversation({ userId: 'ada', newConversationId: name, at: 1 }),
);
const lines = createInterface(process.stdin);
await report({ kind: 'ready' });
await once(lines, 'line');
lines.close();

for (let n = Number(first); n <= Number(last); n += 1) {
  const generationId = `${name}-generation-${n}`;
  const appended = await persist(() =>
    store.appendTurn({
      userId: 'ada',
      conversationId,
      clientId: `client-${n}`,
      bodyHash: `hash-${n}`,
      text: `message ${n}`,
      place: { parentId: undefined },
      userMessageId: `${name}-message-${n}`,
      companionMessageId: `${name}-reply-${n}`,
      generationId,
      at: n,
    }),
  );
  if (appended.kind !== 'created') {
    await report({ kind: appended.kind, n });
    continue;
  }
  await report({ kind: 'created', n, messageId: appended.user.messageId });
  await persist(() =>
    store.endGeneration({
      generationId,
      status: 'done',
      finishReason: 'stop',
      text: `reply ${n}`,
      candidates: [],
      shownCandidateId: null,
      race: null,
      at: n,
    }),
  );
  await report({ kind: 'ended', n, messageId: appended.companion.messageId });
}
