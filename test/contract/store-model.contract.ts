/** Random sequences of operations, compared after each one with a plain model of the rules of docs/protocol.md. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReactionKind } from '../../src/conversation/message.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Sequences, StoreUnderTest } from './store.contract.ts';
import { type ModelMessage, type ModelReply, PlainModel, toModelMessage } from './store-plain-model.ts';
import { candidate, createScenario, expectCreated, type Scenario, unfinishedOf } from './store-scenario.ts';

/** `of` chooses an existing message, reply or request, counted from the first and wrapped around. */
type Operation =
  | { readonly kind: 'send'; readonly under: number | 'leaf' | 'root' }
  /** Read as a record, and put in its own place. */
  | { readonly kind: 'put' }
  | { readonly kind: 'edit' | 'regenerate' | 'start' | 'select'; readonly of: number }
  | { readonly kind: 'resend'; readonly of: number; readonly sameBody: boolean }
  | { readonly kind: 'log' | 'end'; readonly of: number; readonly text: string }
  | { readonly kind: 'choose'; readonly of: number; readonly index: number }
  | { readonly kind: 'react'; readonly of: number; readonly reaction: ReactionKind | null };

const of = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 20 }));
const text = fc.constantFrom('', 'hi', 'ho');
const constant = fc.constant;
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: constant('send'), under: fc.constantFrom('leaf', 'root') }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('send'), under: of }) },
  { weight: 1, arbitrary: fc.record({ kind: constant('put') }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('edit'), of }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('regenerate'), of }) },
  { weight: 1, arbitrary: fc.record({ kind: constant('resend'), of, sameBody: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('start'), of }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('log'), of, text }) },
  { weight: 3, arbitrary: fc.record({ kind: constant('end'), of, text }) },
  { weight: 2, arbitrary: fc.record({ kind: constant('select'), of }) },
  { weight: 3, arbitrary: fc.record({ kind: constant('choose'), of, index: fc.nat({ max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: constant('react'), of, reaction: fc.constantFrom('up', 'love', null) }),
  },
) as fc.Arbitrary<Operation>;

export function modelPromises(underTest: StoreUnderTest, { count, msEach }: Sequences): void {
  const numRuns = process.env['AMITY_TEST_LONG'] ? 1000 : count;
  it(
    'leaves the store as a plain model of the rules says',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async (operations) => {
          const user = await createScenario(underTest.store);
          const compared = new ComparedConversation(user, underTest.store);
          for (const next of operations) {
            await compared.apply(next);
            await compared.check();
          }
        }),
        { numRuns, seed: 20260102 },
      );
    },
    60_000 + numRuns * msEach,
  );
}

/** Does everything twice, to the store and to the model, and compares the answers and what is left. */
class ComparedConversation {
  readonly #user: Scenario;
  readonly #store: Store;
  readonly #model = new PlainModel();

  constructor(user: Scenario, store: Store) {
    this.#user = user;
    this.#store = store;
  }

  async apply(next: Operation): Promise<void> {
    const { messages, replies } = this.#model;
    if (next.kind === 'send') return this.#send(next.under);
    if (next.kind === 'put') return this.#put();
    const message = chosen(messages, next.of);
    const reply = chosen(replies, next.of);
    if (message === undefined || reply === undefined) return;
    if (next.kind === 'edit') return this.#edit(message);
    if (next.kind === 'regenerate') return this.#regenerate(message);
    if (next.kind === 'select') return this.#select(message);
    if (next.kind === 'resend') return this.#resend(next.of, next.sameBody);
    if (next.kind === 'start') return this.#start(reply);
    if (next.kind === 'log') return this.#log(reply, next.text);
    if (next.kind === 'end') return this.#end(reply, next.text);
    if (next.kind === 'choose') return this.#choose(reply, `candidate-${next.index}`);
    if (next.kind === 'react') return this.#react(reply, next.reaction);
  }

  async #send(under: number | 'leaf' | 'root'): Promise<void> {
    const given = typeof under === 'number' ? chosen(this.#model.replies, under)?.message : null;
    const parentId = under === 'leaf' ? undefined : (given?.messageId ?? null);
    const turn = this.#user.turn({ place: { parentId } });
    expectCreated(await this.#store.appendTurn(turn));
    const leafId = this.#model.leaf?.messageId ?? null;
    const made = this.#model.addTurn(turn, turn.text, parentId === undefined ? leafId : parentId);
    this.#model.requests.push({ ...turn, made });
  }

  async #put(): Promise<void> {
    const { userId, conversationId } = this.#user;
    const asked = { userId, conversationId, at: 1 };
    const record = await this.#store.conversationRecord(asked);
    if (record === null) throw new Error('The conversation is gone.');
    await this.#store.putConversation(record);
    expect(await this.#store.conversationRecord(asked)).toStrictEqual(record);
  }

  async #edit(message: ModelMessage): Promise<void> {
    const turn = this.#user.turn({ place: { siblingOf: message.messageId } });
    const appended = await this.#store.appendTurn(turn);
    if (message.role === 'companion') return expect(appended.kind).toBe('unsupported');
    const made = this.#model.addTurn(turn, turn.text, message.parentId);
    this.#model.requests.push({ ...turn, made });
    this.#compareOlderSiblings(expectCreated(appended).olderSiblings.map(toModelMessage), made);
  }

  async #regenerate(message: ModelMessage): Promise<void> {
    const reply = this.#user.reply(message.messageId);
    const appended = await this.#store.appendReply(reply);
    if (message.role === 'user') return expect(appended.kind).toBe('unsupported');
    const made = this.#model.addReply(reply, message.parentId);
    this.#model.requests.push({ ...reply, made });
    this.#compareOlderSiblings(expectCreated(appended).olderSiblings.map(toModelMessage), made);
  }

  #compareOlderSiblings(stored: readonly ModelMessage[], made: ModelMessage): void {
    expect(stored).toStrictEqual(this.#model.siblingsOf(made).filter((message) => message !== made));
  }

  async #resend(of: number, sameBody: boolean): Promise<void> {
    const request = chosen(this.#model.requests, of);
    if (request === undefined) return;
    const { clientId, bodyHash, generationId, made } = request;
    const again = { clientId, ...(sameBody ? { bodyHash } : {}) };
    const answer =
      made.role === 'user'
        ? await this.#store.appendTurn(this.#user.turn(again))
        : await this.#store.appendReply(this.#user.reply(made.messageId, again));
    const duplicate = { messageId: made.messageId, seq: made.seq, generationId };
    expect(answer).toMatchObject(sameBody ? { kind: 'duplicate', ...duplicate } : { kind: 'conflict' });
  }

  async #start(reply: ModelReply): Promise<void> {
    expect(await this.#user.start(reply.generationId)).toBe(this.#model.start(reply));
  }

  async #log(reply: ModelReply, piece: string): Promise<void> {
    const { generationId } = reply;
    const offset = reply.text.length;
    expect(await this.#store.appendText({ generationId, offset, text: piece })).toBe(!reply.hasEnded);
    if (!reply.hasEnded) reply.text += piece;
  }

  async #end(reply: ModelReply, own: string): Promise<void> {
    const choices = new Map(own === '' ? [] : [own, 'other'].map((text, n) => [`candidate-${n}`, text]));
    const candidates = [
      ...[...choices].map(([, text], index) => candidate(index, { text })),
      candidate(2, { finishReason: 'dropped' }),
      candidate(3, { filterReason: 'repeats' }),
    ];
    const shownCandidateId = own === '' ? null : 'candidate-0';
    const failed = own === '' ? ({ status: 'failed', finishReason: null } as const) : {};
    await this.#user.end(reply.generationId, own, { candidates, shownCandidateId, ...failed });
    this.#model.end(reply, own, choices);
  }

  async #choose(reply: ModelReply, candidateId: string): Promise<void> {
    const { userId } = this.#user;
    const { messageId } = reply.message;
    const answer = await this.#store.chooseCandidate({ userId, messageId, candidateId, at: 1 });
    if (this.#model.choose(reply, candidateId)) expect(answer).toMatchObject({ text: reply.message.text });
    else if (reply.hasEnded && candidateId === 'candidate-4') expect(answer).toBeNull();
    else if (!reply.hasEnded) expect(answer).toBe('unsupported');
    else expect([null, 'unsupported']).toContain(answer);
  }

  async #select({ messageId }: ModelMessage): Promise<void> {
    const conversation = await this.#store.selectBranch({ userId: this.#user.userId, messageId, at: 1 });
    this.#model.select(this.#model.messages.find((message) => message.messageId === messageId)!);
    expect(conversation?.selectedLeafId).toBe(this.#model.leaf?.messageId);
  }

  async #react({ message }: ModelReply, kind: ReactionKind | null): Promise<void> {
    const target = { userId: this.#user.userId, messageId: message.messageId, at: 1 };
    if (kind === null) await this.#store.clearReaction(target);
    else {
      const set = await this.#store.setReaction({ ...target, kind, comment: null });
      expect(set === 'unsupported').toBe(message.text === '');
      if (set === 'unsupported') return;
    }
    this.#model.react(message, kind);
  }

  async check(): Promise<void> {
    const { userId, conversationId } = this.#user;
    const { messages, replies, rev, leaf, selectedBranch } = this.#model;
    const newest = selectedBranch.findLast((message) => message.text !== '');
    expect(await this.#store.conversation(userId, conversationId)).toMatchObject({
      lastSeq: messages.length,
      rev,
      selectedLeafId: leaf?.messageId ?? null,
      preview: newest === undefined ? null : { role: newest.role, text: newest.text },
    });
    const stored = await this.#store.changedAfter(conversationId, 0);
    expect(stored.map(toModelMessage)).toStrictEqual(messages);
    for (const [place, { siblings }] of stored.entries()) {
      const group = this.#model.siblingsOf(messages[place]!);
      const index = group.indexOf(messages[place]!);
      expect(siblings).toEqual({
        ...{ index, count: group.length },
        previousId: group[index - 1]?.messageId,
        nextId: group[index + 1]?.messageId,
      });
    }
    for (const afterRev of stored.map(({ rev }) => rev))
      expect(await this.#store.changedAfter(conversationId, afterRev)).toStrictEqual(
        stored.filter(({ rev }) => rev > afterRev),
      );
    const page = { conversationId, leafId: leaf?.messageId ?? 'none', limit: 5 };
    const { messages: paged, hasMore } = await this.#store.branchPage(page);
    expect(paged.map(toModelMessage)).toStrictEqual(selectedBranch.slice(-5));
    expect(hasMore).toBe(selectedBranch.length > 5);
    const active = await unfinishedOf(this.#store, conversationId);
    expect(active.map(({ generationId }) => generationId)).toStrictEqual(
      replies.filter(({ hasEnded }) => !hasEnded).map(({ generationId }) => generationId),
    );
    for (const { generationId, text: own, attempts } of replies)
      expect(await this.#store.generation(userId, generationId)).toMatchObject({ text: own, attempts });
  }
}

function chosen<T>(things: readonly T[], of: number): T | undefined {
  return things[of % Math.max(1, things.length)];
}
