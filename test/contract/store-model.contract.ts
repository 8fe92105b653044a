/** Random sequences of operations, compared after each one with a plain model of the rules of docs/protocol.md. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Message, ReactionKind } from '../../src/conversation/message.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { createScenario, expectCreated, type Scenario } from './store-scenario.ts';

/** `of` chooses an existing turn, counted from the first and wrapped around. */
type Operation =
  | { readonly kind: 'send'; readonly under: number | 'leaf' | 'root' }
  | { readonly kind: 'resend'; readonly of: number; readonly sameBody: boolean }
  | { readonly kind: 'start'; readonly of: number }
  | { readonly kind: 'end'; readonly of: number; readonly text: string }
  | { readonly kind: 'react'; readonly of: number; readonly reaction: ReactionKind | null };

interface ModelMessage {
  readonly messageId: string;
  readonly parentId: string | null;
  readonly role: 'user' | 'companion';
  seq: number;
  rev: number;
  text: string;
  status: string;
  reaction: ReactionKind | null;
}

interface ModelTurn {
  readonly clientId: string;
  readonly bodyHash: string;
  readonly generationId: string;
  readonly sent: ModelMessage;
  readonly reply: ModelMessage;
}

const of = fc.nat({ max: 20 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send'), under: fc.constantFrom('leaf', 'root') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('send'), under: of }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resend'), of, sameBody: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start'), of }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('end'), of, text: fc.constantFrom('', 'hi', 'ho') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('react'), of, reaction: fc.constantFrom('up', 'love', null) }),
  },
) as fc.Arbitrary<Operation>;

const numRuns = process.env['AMITY_TEST_LONG'] ? 1000 : 40;

export function modelPromises(underTest: StoreUnderTest): void {
  it(
    'leaves the store as a plain model of the rules says',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
          const user = await createScenario(underTest.store);
          const model = new ConversationModel(user);
          for (const next of operations) {
            await model.apply(underTest, next);
            await model.check(underTest);
          }
        }),
        { numRuns, seed: 20260102 },
      );
    },
    60_000 + numRuns * 200,
  );
}

class ConversationModel {
  readonly #user: Scenario;
  readonly #turns: ModelTurn[] = [];
  #rev = 0;
  #leaf: ModelMessage | null = null;

  constructor(user: Scenario) {
    this.#user = user;
  }

  async apply(underTest: StoreUnderTest, next: Operation): Promise<void> {
    if (next.kind === 'send') return this.#send(underTest, next.under);
    const turn = this.#turns[next.of % Math.max(1, this.#turns.length)];
    if (turn === undefined) return;
    if (next.kind === 'resend') return this.#resend(underTest, turn, next.sameBody);
    if (next.kind === 'start') return this.#start(turn);
    if (next.kind === 'end') return this.#end(turn, next.text);
    return this.#react(underTest, turn, next.reaction);
  }

  async #send({ store }: StoreUnderTest, under: number | 'leaf' | 'root'): Promise<void> {
    const given =
      typeof under === 'number' ? this.#turns[under % Math.max(1, this.#turns.length)]?.reply : null;
    const parentId = under === 'leaf' ? undefined : (given?.messageId ?? null);
    const turn = this.#user.turn({ place: { parentId } });
    const { user, companion } = expectCreated(await store.appendTurn(turn));
    const seq = 2 * this.#turns.length + 1;
    const sent: ModelMessage = {
      ...{ messageId: user.messageId, role: 'user', text: turn.text, status: 'done', reaction: null },
      ...{ seq, rev: this.#rev + 1 },
      parentId: under === 'leaf' ? (this.#leaf?.messageId ?? null) : (parentId ?? null),
    };
    const reply: ModelMessage = {
      ...{ messageId: companion.messageId, role: 'companion', text: '', status: 'queued', reaction: null },
      ...{ seq: seq + 1, rev: this.#rev + 2, parentId: sent.messageId },
    };
    this.#rev += 2;
    this.#leaf = reply;
    for (const turn of this.#turns) if (turn.sent.parentId === sent.parentId) this.#change(turn.sent);
    this.#turns.push({ ...turn, sent, reply });
  }

  async #resend({ store }: StoreUnderTest, turn: ModelTurn, sameBody: boolean): Promise<void> {
    const { clientId, bodyHash, generationId } = turn;
    const again = this.#user.turn({ clientId, ...(sameBody ? { bodyHash } : {}) });
    expect(await store.appendTurn(again)).toMatchObject(
      sameBody
        ? { kind: 'duplicate', user: { messageId: turn.sent.messageId }, generationId }
        : { kind: 'conflict' },
    );
  }

  async #start({ generationId, reply }: ModelTurn): Promise<void> {
    const starts = reply.status === 'queued' || reply.status === 'running';
    expect(await this.#user.start(generationId)).toBe(starts);
    if (!starts) return;
    reply.status = 'running';
    this.#change(reply);
  }

  async #end({ generationId, reply }: ModelTurn, text: string): Promise<void> {
    const end = text === '' ? ({ status: 'failed', finishReason: null } as const) : {};
    await this.#user.end(generationId, text, end);
    if (reply.status !== 'queued' && reply.status !== 'running') return;
    reply.status = text === '' ? 'failed' : 'done';
    reply.text = text;
    this.#change(reply);
  }

  async #react({ store }: StoreUnderTest, { reply }: ModelTurn, kind: ReactionKind | null): Promise<void> {
    const target = { userId: this.#user.userId, messageId: reply.messageId, at: 1 };
    if (kind === null) await store.clearReaction(target);
    else {
      const set = await store.setReaction({ ...target, kind, comment: null });
      expect(set === 'unsupported').toBe(reply.text === '');
      if (set === 'unsupported') return;
    }
    if (reply.reaction === kind) return;
    reply.reaction = kind;
    this.#change(reply);
  }

  #change(message: ModelMessage): void {
    this.#rev += 1;
    message.rev = this.#rev;
  }

  async check({ store }: StoreUnderTest): Promise<void> {
    const { userId, conversationId } = this.#user;
    const all = this.#turns.flatMap(({ sent, reply }) => [sent, reply]);
    const branch: ModelMessage[] = [];
    let next = this.#leaf;
    while (next !== null) {
      branch.unshift(next);
      const { parentId } = next;
      next = all.find(({ messageId }) => messageId === parentId) ?? null;
    }
    const newest = branch.findLast(({ text }) => text !== '');

    expect(await store.conversation(userId, conversationId)).toMatchObject({
      lastSeq: all.length,
      rev: this.#rev,
      selectedLeafId: this.#leaf?.messageId ?? null,
      preview: newest === undefined ? null : { role: newest.role, text: newest.text },
    });
    const stored = await store.changedAfter(conversationId, 0);
    expect(stored.map(toModelMessage)).toStrictEqual(all);
    for (const { siblings, parentId, role, seq } of stored) {
      const group = all.filter((message) => message.parentId === parentId && message.role === role);
      const index = group.findIndex((message) => message.seq === seq);
      expect(siblings).toStrictEqual({ index, count: group.length });
    }
    const leafId = this.#leaf?.messageId ?? 'none';
    const page = await store.branchPage({ conversationId, leafId, limit: 5 });
    expect(page.messages.map(toModelMessage)).toStrictEqual(branch.slice(-5));
    expect(page.hasMore).toBe(branch.length > 5);
    const active = this.#turns.filter(({ reply }) => ['queued', 'running'].includes(reply.status));
    expect(
      (await store.activeGenerations(conversationId)).map(({ generationId }) => generationId),
    ).toStrictEqual(active.map(({ generationId }) => generationId));
  }
}

function toModelMessage(message: Message): ModelMessage {
  const { messageId, parentId, role, seq, rev, text, status, reaction } = message;
  return { messageId, role, text, status, reaction: reaction?.kind ?? null, seq, rev, parentId };
}
