/** What is kept of a conversation for its next turn is what reading it again would give, whatever has happened since. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Turn } from '../../../src/conversation/reply.ts';
import type { ConversationStore } from '../../../src/conversation/stores.ts';
import { toTurn } from '../../../src/conversation/take-turn.ts';
import { readWindow, Windows } from '../../../src/conversation/windows.ts';
import { uniformAt } from '../../../src/engine/uniform.ts';
import { createScenario, expectCreated, type Scenario } from '../../contract/store-scenario.ts';
import { openScratchStore } from '../../simulation/conversation/scratch-store.ts';

let scratch: Awaited<ReturnType<typeof openScratchStore>>;
let user: Scenario;
let pages: number;
let now: number;
let windows: Windows;
beforeEach(async () => {
  scratch = await openScratchStore();
  user = await createScenario(scratch.store);
  pages = 0;
  const { store } = scratch;
  const counted: Pick<ConversationStore, 'branchPage' | 'conversation'> = {
    conversation: store.conversation,
    branchPage: (query) => {
      pages += 1;
      return store.branchPage(query);
    },
  };
  now = 0;
  windows = new Windows(counted, { monotonic: () => now });
});
afterEach(() => scratch[Symbol.asyncDispose]());

/** Reads for a turn, and expects what its page holds. */
async function read(turn: Turn) {
  const messages = await windows.read(turn);
  const { conversationId, user: asked } = turn;
  expect(messages).toStrictEqual(
    await readWindow(scratch.store, { conversationId, replyTo: asked.messageId }),
  );
  return messages;
}

/** One turn and its reply. @param meanwhile what happens while the reply is written */
async function talk(text: string, meanwhile: () => Promise<unknown> = async () => {}) {
  const turn = toTurn(await user.send(text));
  const messages = await read(turn);
  await user.start(turn.generationId);
  await meanwhile();
  const ended = await user.end(turn.generationId, `to ${text}`);
  if (ended !== null) windows.keep(turn, messages, ended);
  return turn;
}

describe('the window of a conversation', () => {
  it('is read once, and then goes on with each turn', async () => {
    for (let n = 0; n < 100; n += 1) await talk(`turn ${n}`);
    expect(pages).toBe(1);
  });

  it.each<[string, (turn: Turn) => Promise<unknown>]>([
    [
      'a reaction',
      ({ companion: { messageId } }) =>
        scratch.store.setReaction({ userId: user.userId, messageId, kind: 'up', comment: null, at: 1 }),
    ],
    [
      'a deletion',
      ({ user: { messageId } }) => scratch.store.deleteMessage({ userId: user.userId, messageId, at: 1 }),
    ],
    [
      'another branch',
      ({ user: { messageId } }) =>
        scratch.store.appendTurn(user.turn({ text: 'edited', place: { siblingOf: messageId } })),
    ],
  ])('is read again after %s', async (_what, happen) => {
    await talk('one');
    const second = await talk('two');
    await happen(second);
    await talk('three');
    expect(pages).toBe(2);
    await talk('four');
    expect(pages).toBe(2);
  });

  it('is not kept when something happens while the reply is written', async () => {
    const first = await talk('one');
    const { messageId } = first.companion;
    const react = { userId: user.userId, messageId, kind: 'up', comment: null, at: 1 } as const;
    await talk('two', () => scratch.store.setReaction(react));
    await talk('three');
    expect(pages).toBe(2);
  });

  it('is read again when something happened between a message and its turn', async () => {
    const first = await talk('one');
    const turn = toTurn(await user.send('two'));
    await scratch.store.deleteMessage({ userId: user.userId, messageId: first.user.messageId, at: 1 });
    expect((await read(turn)).map(({ text }) => text)).not.toContain('one');
  });

  it('is let go where too much is held', async () => {
    const first = user;
    await talk('hello');
    for (let n = 0; n < 5; n += 1) {
      user = await createScenario(scratch.store);
      await talk('x'.repeat(500_000));
    }
    await talk('again');
    expect(pages).toBe(6);
    user = first;
    await talk('again');
    expect(pages).toBe(7);
  });

  it('is let go when its user has said nothing for five minutes', async () => {
    const first = user;
    await talk('hello');
    now += 5 * 60_000 + 1;
    user = await createScenario(scratch.store);
    await talk('hello');
    user = first;
    await talk('again');
    expect(pages).toBe(3);
  });

  it('holds what its page holds, whatever comes in which order', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      let drawn = 0;
      const pick = (below: number) => Math.floor(uniformAt(seed, 3, drawn++) * below);
      user = await createScenario(scratch.store);
      const turns: Turn[] = [await talk('begin')];
      const one = () => turns[pick(turns.length)] as Turn;
      const acts = [
        async () => turns.push(await talk(`turn ${drawn}`)),
        async () => turns.push(await talk(`turn ${drawn}`)),
        async () => turns.push(await talk(`turn ${drawn}`)),
        () =>
          scratch.store.setReaction({
            ...{
              userId: user.userId,
              messageId: one().companion.messageId,
              kind: 'love',
              comment: null,
              at: drawn,
            },
          }),
        () =>
          scratch.store.selectBranch({
            userId: user.userId,
            messageId: one().companion.messageId,
            at: drawn,
          }),
        async () => {
          const edited = user.turn({ text: `edit ${drawn}`, place: { siblingOf: one().user.messageId } });
          const appended = await scratch.store.appendTurn(edited);
          if (appended.kind === 'created') turns.push(toTurn(expectCreated(appended)));
        },
        () =>
          scratch.store.deleteMessage({
            userId: user.userId,
            messageId: one().companion.messageId,
            at: drawn,
          }),
      ];
      for (let n = 0; n < 40; n += 1) await acts[pick(acts.length)]?.();
    }
    expect(pages).toBeGreaterThan(20);
  });
});
