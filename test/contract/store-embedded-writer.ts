/**
 * A process of its own that writes to an embedded store, for tests that kill it or let several race. It says `ready`,
 * waits for a line, and reports each turn and each piece of its reply in one line when the store has it. What the store refuses because it is
 * locked is sent again, as a client does.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { NewTurn } from '../../src/conversation/stores.ts';
import { CodedError } from '../../src/std/coded-error.ts';
import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';

const attemptsMax = 30;

const [file = '', name = '', first = '1', last = '0', mode = ''] = process.argv.slice(2);
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
  const appended = await persist(() => store.appendTurn(turn(n)));
  if (appended.kind === 'created') {
    await report({ kind: 'created', n, messageId: appended.user.messageId });
    await write(appended.generation.generationId, appended.companion.messageId, n);
  } else await report({ kind: appended.kind, n });
  if (mode === 'with further replies') await regenerate(n);
}

function turn(n: number): NewTurn {
  return {
    userId: 'ada',
    conversationId,
    clientId: `client-${n}`,
    bodyHash: `hash-${n}`,
    text: `message ${n}`,
    place: { parentId: undefined },
    quota: null,
    userMessageId: `${name}-message-${n}`,
    companionMessageId: `${name}-reply-${n}`,
    generationId: `${name}-generation-${n}`,
    at: n,
  };
}

/** A reply in three pieces, each reported when the log has it. */
async function write(generationId: string, messageId: string, n: number): Promise<void> {
  const setup = { model: 'tiny', template: 'chat@1', seed: n, variant: null };
  const trace = { model: 'tiny', template: 'chat@1', promptTokens: 1, budgetTokens: 1, parts: [] };
  await persist(() => store.startGeneration({ generationId, setup, trace, at: n }));
  let text = '';
  for (const piece of ['reply', ' ', `${n}`]) {
    await persist(() => store.appendText({ generationId, offset: text.length, text: piece }));
    text += piece;
    await report({ kind: 'logged', n, generationId, text });
  }
  const end = { status: 'done', finishReason: 'stop', candidates: [], shownCandidateId: null } as const;
  await persist(() => store.endGeneration({ ...end, generationId, text, race: null, at: n }));
  await report({ kind: 'ended', n, messageId });
}

/** A further reply to the turn, whoever stored it. Several writers use one client id for it. */
async function regenerate(n: number): Promise<void> {
  const asked = await persist(() => store.askedTurn('ada', `client-${n}`));
  const generation = await persist(() => store.generation('ada', asked?.generationId ?? ''));
  const siblingOf = generation?.messageId ?? '';
  const ids = {
    clientId: `again-${n}`,
    bodyHash: `hash-again-${n}`,
    generationId: `${name}-again-${n}`,
    quota: null,
  };
  const appended = await persist(() =>
    store.appendReply({ userId: 'ada', siblingOf, ...ids, companionMessageId: `${name}-second-${n}`, at: n }),
  );
  await report({ kind: `again ${appended.kind}`, n });
}
