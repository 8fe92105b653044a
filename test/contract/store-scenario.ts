import type { Message, PromptTrace, StoredCandidate } from '../../src/conversation/message.ts';
import type {
  AppendedReply,
  AppendedTurn,
  FirstAnswer,
  GenerationEnd,
  NewReply,
  NewTurn,
} from '../../src/conversation/stores.ts';
import type { RaceRecord } from '../../src/engine/request.ts';
import type { Store } from '../../src/storage/store.ts';

export type Created = Extract<AppendedTurn, { kind: 'created' }>;
type CreatedReply = Extract<AppendedReply, { kind: 'created' }>;

/** One user of a store, with a default conversation, ids that count up and a clock that each change moves on. */
export interface Scenario {
  readonly userId: string;
  readonly conversationId: string;
  /** A turn that was not stored yet; `parts` replaces fields of it. */
  turn(parts?: Partial<NewTurn>): NewTurn;
  /** Stores a turn and expects it to be created. */
  send(text: string, parentId?: string | null): Promise<Created>;
  /** A further reply that was not stored yet. */
  reply(siblingOf: string, parts?: Partial<NewReply>): NewReply;
  /** Stores an edited version of a user message and expects it to be created. */
  edit(siblingOf: string, text: string): Promise<Created>;
  /** Stores a further reply and expects it to be created. */
  regenerate(siblingOf: string): Promise<CreatedReply>;
  start(generationId: string): Promise<boolean>;
  end(generationId: string, text: string, parts?: Partial<GenerationEnd>): Promise<Message | null>;
  /** Send, start and end; returns the companion message as it stands then. */
  exchange(text: string, reply: string, parentId?: string | null): Promise<Message>;
}

/** The generations of one conversation that have not ended, by age. */
export async function unfinishedOf(store: Store, conversationId: string) {
  const unfinished = await store.unfinishedGenerations();
  return unfinished.filter((generation) => generation.conversationId === conversationId);
}

let scenarios = 0;

export const trace: PromptTrace = {
  template: 'chat@1',
  model: 'tiny',
  promptTokens: 12,
  budgetTokens: 512,
  parts: [
    { kind: 'system', text: 'Be kind.', tokens: 3, reason: 'always' },
    { kind: 'recent', text: 'Hi', tokens: 1, reason: 'newest turn', messageId: 'm1' },
  ],
};

export const race: RaceRecord = {
  level: 1,
  candidates: 10,
  checkpoints: [
    {
      tokens: 16,
      alive: [
        { index: 0, score: -1.5, filterReason: 'repeats' },
        { index: 1, score: 0.25, filterReason: null },
      ],
      kept: [1],
    },
  ],
  commit: { index: 1, tokens: 16, isExplored: true, propensity: 0.25 },
};

export function candidate(index: number, parts: Partial<StoredCandidate> = {}): StoredCandidate {
  return {
    index,
    candidateId: `candidate-${index}`,
    text: `text ${index}`,
    tokens: 3 + index,
    finishReason: 'stop',
    logProb: -1.25 * (index + 1),
    score: 0.1 * index,
    features: null,
    filterReason: null,
    ...parts,
  };
}

export async function createScenario(store: Store): Promise<Scenario> {
  scenarios += 1;
  const number = scenarios;
  const userId = `user-${number}`;
  const start = Date.UTC(2026, 0, 1) + number * 1_000_000;
  let count = 0;
  const { conversationId } = await store.defaultConversation({
    userId,
    newConversationId: `conversation-${number}`,
    at: start,
  });

  const scenario: Scenario = {
    userId,
    conversationId,
    turn(parts = {}) {
      count += 1;
      const suffix = `${number}-${count}`;
      return {
        userId,
        conversationId,
        clientId: `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`,
        bodyHash: `hash-${suffix}`,
        text: `message ${count}`,
        place: { parentId: undefined },
        quota: null,
        userMessageId: `user-message-${suffix}`,
        companionMessageId: `reply-${suffix}`,
        generationId: `generation-${suffix}`,
        at: start + count,
        ...parts,
      };
    },
    reply(siblingOf, parts = {}) {
      const { place: _, text: __, userMessageId: ___, conversationId: ____, ...turn } = scenario.turn();
      return { ...turn, siblingOf, ...parts };
    },
    async edit(siblingOf, text) {
      return expectCreated(await store.appendTurn(scenario.turn({ text, place: { siblingOf } })));
    },
    async regenerate(siblingOf) {
      return expectCreated(await store.appendReply(scenario.reply(siblingOf)));
    },
    async send(text, parentId) {
      return expectCreated(await store.appendTurn(scenario.turn({ text, place: { parentId } })));
    },
    start(generationId) {
      count += 1;
      const setup = { model: 'tiny', template: 'chat@1', seed: 7, variant: 'a' };
      return store.startGeneration({ generationId, setup, trace, at: start + count });
    },
    end(generationId, text, parts = {}) {
      count += 1;
      return store.endGeneration({
        generationId,
        status: 'done',
        finishReason: 'stop',
        text,
        candidates: [],
        shownCandidateId: null,
        race: null,
        at: start + count,
        ...parts,
      });
    },
    async exchange(text, reply, parentId) {
      const { companion, generation } = await scenario.send(text, parentId);
      await scenario.start(generation.generationId);
      return (await scenario.end(generation.generationId, reply)) ?? companion;
    },
  };
  return scenario;
}

/** What a repeat of the request is answered that made this message. */
export function answerFor({ messageId, conversationId, seq }: Message, generationId: string): FirstAnswer {
  return { messageId, conversationId, seq, generationId };
}

export function expectCreated<T extends AppendedTurn | AppendedReply>(
  appended: T,
): Extract<T, { kind: 'created' }> {
  if (appended.kind !== 'created') throw new Error(`Not created but ${appended.kind}.`);
  return appended as Extract<T, { kind: 'created' }>;
}
