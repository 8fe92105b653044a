/** Turns of one conversation one after another, with superseding; conversations do not wait for each other. */
import { describe, expect, it } from 'vitest';
import { Replies } from '../../../src/conversation/replies.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import { aTurn } from '../../support/builders.ts';

/** Replies whose end the test decides; each ends by itself when it is stopped. */
function setUp() {
  const begun: string[] = [];
  const changed = new Pulse();
  const finish = new Map<string, () => void>();
  const replies = new Replies(async (reply) => {
    const { generationId } = reply.turn;
    begun.push(generationId);
    if (reply.stopReason === null) {
      await new Promise<void>((resolve) => {
        finish.set(generationId, resolve);
        reply.signal.addEventListener('abort', () => resolve());
        changed.beat();
      });
    }
    const finishReason = reply.stopReason ?? 'stop';
    reply.stream.finish({ kind: 'end', message: { ...reply.turn.companion, status: 'done' }, finishReason });
  });
  return {
    replies,
    begun,
    /** Lets a reply end as soon as it has begun. */
    finish: async (name: string) => {
      while (!finish.has(`g_${name}`)) await changed.wait();
      finish.get(`g_${name}`)?.();
    },
  };
}

async function endOf(reply: Reply): Promise<string> {
  const end = await reply.stream.ended();
  return end.kind === 'end' ? end.finishReason : 'failed';
}

describe('Replies', () => {
  it('answers the turns of a conversation one after another', async () => {
    const { replies, begun, finish } = setUp();
    const first = replies.begin(aTurn('a'));
    first.stream.append('text');
    const second = replies.begin(aTurn('b', 'm_a'));
    expect(begun).toEqual(['g_a']);
    await finish('a');
    expect(await endOf(first)).toBe('stop');
    await finish('b');
    expect(await endOf(second)).toBe('stop');
    expect(begun).toEqual(['g_a', 'g_b']);
  });

  it('supersedes a reply that has shown no text, also one that still waits', async () => {
    const { replies, finish } = setUp();
    const first = replies.begin(aTurn('a'));
    const second = replies.begin(aTurn('b', 'm_a'));
    const third = replies.begin(aTurn('c', 'm_b'));
    expect(await endOf(first)).toBe('superseded');
    expect(await endOf(second)).toBe('superseded');
    await finish('c');
    expect(await endOf(third)).toBe('stop');
  });

  it('lets a reply of another branch go on', async () => {
    const { replies, finish } = setUp();
    const first = replies.begin(aTurn('a'));
    replies.begin(aTurn('b', 'm_elsewhere'));
    expect(first.stopReason).toBeNull();
    await finish('a');
    expect(await endOf(first)).toBe('stop');
  });

  it('ends a cancelled reply that waits in line without waiting for its place', async () => {
    const { replies } = setUp();
    const first = replies.begin(aTurn('a'));
    first.stream.append('text');
    const second = replies.begin(aTurn('b', 'm_a'));
    expect(replies.cancel('g_b')).toBe(true);
    expect(await endOf(second)).toBe('cancelled');
    expect(first.stream.end).toBeNull();
    expect(replies.find('g_a')).toBe(first);
  });

  it('knows nothing of a reply that has ended', async () => {
    const { replies, finish } = setUp();
    const reply = replies.begin(aTurn('a'));
    await finish('a');
    await replies.drain(Promise.resolve());
    expect(await endOf(reply)).toBe('stop');
    await new Promise(setImmediate);
    expect(replies.cancel('g_a')).toBe(false);
    expect(replies.count).toBe(0);
    expect(replies.ofUser('u_1')).toEqual([]);
  });

  it('drains: waits for what runs, and stops what is still running after the grace', async () => {
    const { replies, finish } = setUp();
    const quick = replies.begin(aTurn('a'));
    const slow = replies.begin({ ...aTurn('b'), conversationId: 'c_2' });
    let over = () => {};
    const drained = replies.drain(new Promise<void>((resolve) => (over = resolve)));
    await finish('a');
    expect(await endOf(quick)).toBe('stop');
    expect(slow.stopReason).toBeNull();
    over();
    await drained;
    expect(await endOf(slow)).toBe('cancelled');
  });
});
