/** Features and filters by cases, in both directions; whatever the text, a verdict is finite. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contender } from '../../../src/engine/request.ts';
import { repetitionOf, shareInCommon } from '../../../src/ranking/features.ts';
import { createJudge } from '../../../src/ranking/judge.ts';
import { longestCommonPart, wordsOf } from '../../../src/ranking/words.ts';

const context = {
  userTurn: 'I had a long day at work and I am tired.',
  ownTurns: ['I like to hear about your day, tell me more about it.', 'Good morning!'],
};

function contender(text: string, own: Partial<Contender> = {}): Contender {
  return { index: 0, text, tokens: 20, logProb: -30, isEnded: true, ...own };
}

function verdictOn(text: string, own: Partial<Contender> = {}) {
  return createJudge(context)([contender(text, own)])[0]!;
}

describe('features', () => {
  it('words are of any script, and apostrophes stay inside', () => {
    expect(wordsOf("Don't STOP, 世界 — привет 42!")).toEqual(["don't", 'stop', '世界', 'привет', '42']);
  });

  it('repetition is the share of word pairs that stood there before', () => {
    expect(repetitionOf(wordsOf('a b c d'))).toBe(0);
    expect(repetitionOf(wordsOf('so so so so so'))).toBe(0.75);
    expect(repetitionOf(wordsOf(''))).toBe(0);
  });

  it('what two texts have in common counts from four words in a row on', () => {
    const words = (text: string) => wordsOf(text);
    expect(longestCommonPart(words('x a b c y'), words('a b c'))).toBe(3);
    expect(shareInCommon(words('x a b c'), words('a b c'))).toBe(0);
    expect(shareInCommon(words('a b c d'), words('y a b c d z'))).toBe(1);
  });

  it('likelihood is per token, so that long replies are not punished for their length', () => {
    const short = verdictOn('Rest well tonight, you have earned it.', { tokens: 10, logProb: -15 });
    const long = verdictOn('Rest well tonight, you have earned it.', { tokens: 40, logProb: -60 });
    expect(short.score).toBe(long.score);
  });
});

describe('filters', () => {
  it.each([
    ['', 'empty'],
    [' ...', 'empty'],
    ['User: and then?', 'role_leak'],
    ['Sure.\nPerson A: I see.', 'role_leak'],
    ['Fine <|im_end|>', 'role_leak'],
    ['I know, I know, I know, I know, I know, I know, I know.', 'loop'],
    ['I like to hear about your day, tell me more about it.', 'repeats_own_turn'],
    ['I had a long day at work and I am tired', 'echoes_user'],
    ['Good morning!', null],
    ['That sounds hard. What happened at work?', null],
    ['😀', null],
    ['A user: that is what I am to them.', null],
  ])('%j is filtered as %j', (text, reason) => {
    expect(verdictOn(text).filterReason).toBe(reason);
  });

  it('a beginning is filtered only for what its end cannot mend', () => {
    const beginning = { isEnded: false };
    expect(verdictOn('', beginning).filterReason).toBeNull();
    expect(verdictOn('I had a long day at work and I am tired', beginning).filterReason).toBeNull();
    expect(verdictOn('Fine <|im', beginning).filterReason).toBe('role_leak');
  });
});

describe('scores', () => {
  const plain = 'That sounds hard. Would you like to talk about it?';

  it.each([
    ['one that loops', 'That sounds hard. That sounds hard. That sounds hard.'],
    ['one that says an earlier turn again', 'I like to hear about your day, tell me more.'],
    ['one that echoes the user', 'You had a long day at work and I am tired too.'],
    ['one of a single word', 'Ok.'],
  ])('a fresh reply beats %s', (_name, text) => {
    expect(verdictOn(plain).score).toBeGreaterThan(verdictOn(text).score);
  });

  it('another ranker can be put in its place', () => {
    const ranker = { version: 'test@1', score: () => 42 };
    expect(createJudge(context, ranker)([contender(plain)])[0]?.score).toBe(42);
  });

  it('are finite for any text', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('ab '.repeat(4000)));
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isEnded) => {
        const verdict = verdictOn(text, { isEnded, tokens: 0, logProb: 0 });
        expect(Number.isFinite(verdict.score)).toBe(true);
        expect(Object.values(verdict.features).every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
