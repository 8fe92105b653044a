import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoreUnderTest } from './store.contract.ts';
import { candidate, createScenario, trace } from './store-scenario.ts';

/** Well-formed, as the edge lets them through; with characters that stores are known to stumble over. */
const hardText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\u0000', '\u0001', '\u00010', '\u00011', '\u0000', "'", '"', '\\', '%', '_', '\r\n'),
    fc.constantFrom(
      '\ufeff',
      '\u202e',
      '\u2028',
      '\ufffd',
      '\uffff',
      '👩‍👩‍👧',
      '𝕏',
      'e\u0301',
      '$where',
      '--',
    ),
  ),
  minLength: 1,
  maxLength: 40,
});
const numRuns = process.env['AMITY_TEST_LONG'] ? 2000 : 60;

export function textPromises(underTest: StoreUnderTest): void {
  it(
    'gives every text back unit by unit, U+0000 and emoji included',
    async () => {
      const { store } = underTest;
      const user = await createScenario(store);
      const { userId } = user;
      await fc.assert(
        fc.asyncProperty(hardText, hardText, async (text, reply) => {
          const sent = await user.send(text);
          const { generationId } = sent.generation;
          const ownTrace = { ...trace, parts: [{ ...trace.parts[0]!, text, reason: reply }] };
          const setup = {
            model: 'tiny',
            template: 't',
            seed: 0,
            variant: null,
          };
          await store.startGeneration({ generationId, setup, trace: ownTrace, at: underTest.now });
          const candidates = [candidate(0, { text, filterReason: reply })];
          await user.end(generationId, reply, { candidates });
          const { messageId } = sent.companion;
          await store.setReaction({ userId, messageId, kind: 'up', comment: text, at: 1 });
          expect(sent.user.text).toBe(text);
          expect((await store.message(userId, sent.user.messageId))?.text).toBe(text);
          expect(await store.message(userId, messageId)).toMatchObject({
            text: reply,
            reaction: { comment: text },
          });
          expect(await store.generation(userId, generationId)).toMatchObject({ text: reply, candidates });
          expect(await store.promptTrace(userId, generationId, underTest.now)).toStrictEqual(ownTrace);
        }),
        { numRuns, seed: 20260101 },
      );
    },
    60_000 + numRuns * 100,
  );

  it('keeps a text of the greatest size that the edge admits', async () => {
    const user = await createScenario(underTest.store);
    const text = '😀'.repeat(2000);
    expect((await user.send(text)).user.text).toBe(text);
  });

  it('keeps users apart whose ids differ in case, form or white space only', async () => {
    const { store } = underTest;
    const ids = ['ada', 'Ada', 'ada ', 'a\u0301', 'á', 'auth0|1', 'ada\u200b'];
    for (const [n, userId] of ids.entries())
      await store.defaultConversation({ userId, newConversationId: `of-${n}`, at: n });
    for (const [n, userId] of ids.entries()) {
      const found = await store.defaultConversation({ userId, newConversationId: 'new', at: 99 });
      expect(found).toMatchObject({ conversationId: `of-${n}`, userId });
    }
  });
}
