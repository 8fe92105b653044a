/** A user with a word of their own in every place that a text of theirs can reach. */
import type { PromptTrace } from '../../src/conversation/message.ts';
import type { Store } from '../../src/storage/store.ts';
import { candidate, createScenario, type Scenario } from '../contract/store-scenario.ts';

export interface MarkedUser {
  readonly userId: string;
  /** The word that stands in each place. */
  readonly markers: Readonly<Record<string, string>>;
}

/** @param tag makes the words of this user different from those of others. */
export async function createMarkedUser(store: Store, tag: string): Promise<MarkedUser> {
  const markers: Record<string, string> = {};
  /** Made of letters and digits, so that it is one word to every index. */
  const mark = (place: string) => {
    markers[place] ??= `zq${tag}${place.replaceAll(' ', '')}zq`;
    return markers[place];
  };
  const user = await createScenario(store);
  const { userId, conversationId } = user;
  const at = Date.UTC(2026, 0, 2);
  await store.changeSettings(userId, { locale: mark('locale'), timeZone: mark('time zone') });
  await store.renameConversation({ userId, conversationId, title: mark('title'), at });
  const created = await store.createConversation({
    ...{
      userId,
      conversationId: `second-${tag}`,
      title: mark('second title'),
      personaId: mark('persona'),
      at,
    },
  });
  if (created === 'unsupported') throw new Error('not created');

  const first = await say(store, user, mark);
  const edited = await user.edit(first.user.messageId, `edited ${mark('edit')}`);
  await store.appendText({ ...edited.generation, offset: 0, text: `log ${mark('log')}` });
  const gone = await user.exchange(`gone ${mark('deleted text')}`, `gone ${mark('deleted reply')}`, null);
  await store.deleteMessage({ userId, messageId: gone.parentId ?? '', at });
  await store.putConversation({
    ...imported(user, mark),
    conversationId: `imported-${tag}`,
  });
  return { userId, markers };
}

async function say(store: Store, user: Scenario, mark: (place: string) => string) {
  const { userId } = user;
  const at = Date.UTC(2026, 0, 2);
  const first = await user.send(`said ${mark('text')}`);
  const { generationId } = first.generation;
  const trace: PromptTrace = {
    ...{ template: 't', model: 'm', promptTokens: 1, budgetTokens: 1 },
    parts: [{ kind: 'recent', text: mark('prompt'), tokens: 1, reason: mark('reason') }],
  };
  const setup = { model: 'tiny', template: 't', seed: 1, variant: null };
  await store.startGeneration({ generationId, setup, trace, at });
  await store.appendText({ generationId, offset: 0, text: mark('finished log') });
  await user.end(generationId, `reply ${mark('reply')}`, {
    candidates: [
      candidate(0, { text: `reply ${mark('reply')}` }),
      candidate(1, { text: mark('candidate') }),
      candidate(2, { text: 'filtered', filterReason: mark('filter') }),
    ],
    shownCandidateId: 'candidate-0',
  });
  const { messageId } = first.companion;
  await store.setReaction({ userId, messageId, kind: 'up', comment: mark('replaced comment'), at });
  await store.chooseCandidate({ userId, messageId, candidateId: 'candidate-1', at });
  await store.setReaction({ userId, messageId, kind: 'down', comment: mark('comment'), at });
  return first;
}

function imported({ userId }: Scenario, mark: (place: string) => string) {
  return {
    ...{ userId, title: null, personaId: null, isDefault: false, lastSeq: 1, lastReadSeq: 1, rev: 1 },
    ...{ selectedLeafId: `imported ${userId}`, createdAt: 1, updatedAt: 1, turnsDay: null, turnsToday: 0 },
    ...{ conversationId: '', deleted: [], requests: [], preferences: [], feedback: [] },
    messages: [
      {
        ...({
          messageId: `imported ${userId}`,
          seq: 1,
          rev: 1,
          role: 'user',
          status: 'done',
          createdAt: 1,
        } as const),
        ...{ text: mark('imported text'), externalId: mark('external id') },
        ...{ parentId: null, clientMessageId: null, generationId: null, finishReason: null },
        ...{ shownCandidateId: null, model: null, variant: null, reaction: null, generation: null },
      },
    ],
  };
}

/** Places whose words are gone from the store by then: replaced, or deleted by their user. */
export const replacedPlaces: ReadonlySet<string> = new Set([
  'replaced comment',
  'finished log',
  'deleted text',
  'deleted reply',
]);
