/** Filters and scores: what is never shown, what is preferred to what; whatever the text, a verdict is finite. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FeatureName, featureRanges } from '../../../src/ranking/features.ts';
import { filterReasons } from '../../../src/ranking/filters.ts';
import { createJudge, defaultRanker } from '../../../src/ranking/judge.ts';
import type { Ranker } from '../../../src/ranking/ranker.ts';
import { weights } from '../../../src/ranking/weights/features-3.ts';
import { context, verdictOn } from './verdicts.ts';

describe('filters', () => {
  it.each([
    ['', 'empty'],
    [' ...', 'empty'],
    ['\u200b\ud800', 'empty'],
    ['User: and then?', 'role_leak'],
    ['I know, I know, I know, I know, I know, I know, I know.', 'loop'],
    ['😂'.repeat(30), 'loop'],
    [`Wow, ${'a'.repeat(40)}!`, 'loop'],
    ['哈'.repeat(20), 'loop'],
    ['I like to hear about your day, tell me more about it.', 'repeats_own_turn'],
    ['Yes, I like to hear about your day, tell me more about it.', 'repeats_own_turn'],
    ['I had a long day at work and I am tired', 'echoes_user'],
    ['Good morning!', null],
    ['That sounds hard. What happened at work?', null],
    ['You had a long day at work, so rest now.', null],
    ['Happy birthday to you, happy birthday to you, happy birthday dear friend!', null],
    ['Ha ha ha!', null],
    ['😀', null],
    ['🙂👍🏽', null],
    ['はい、そうですね。', null],
  ])('%j is filtered as %j', (text, reason) => {
    expect(verdictOn(text).filterReason).toBe(reason);
  });

  it('a loop behind a good beginning is found', () => {
    const good = 'That sounds like a hard day, and I hope the evening is calm and kind to you. ';
    expect(verdictOn(good + 'It is fine and '.repeat(6)).filterReason).toBe('loop');
    expect(verdictOn(good).filterReason).toBeNull();
  });

  it.each([
    ['', null],
    ['…', null],
    ['I had a long day at work and I am tired', null],
    ['I like to hear about your day, tell me more about it.', null],
    ['Fine <|im', 'role_leak'],
    ['no no no no no no no no no no no no no', 'loop'],
  ])('the beginning %j is filtered as %j, for only that its end cannot mend', (text, reason) => {
    expect(verdictOn(text, { isEnded: false }).filterReason).toBe(reason);
  });
});

describe('scores', () => {
  const plain = 'No wonder that you are tired. Would you like to talk about it?';

  it.each([
    ['its looping twin', 'No wonder that you are tired. No wonder that you are tired.'],
    ['one that says an earlier turn again', 'I like to hear about your day, tell me more.'],
    ['one that echoes the user', 'You had a long day at work and I am tired.'],
    ['one of a single word', 'Ok.'],
    ['one that talks of being a program', 'As an AI language model, I cannot feel tired after work.'],
    ['one with a stage direction', '*nods* No wonder that you are tired. Would you like to talk about it?'],
    ['one about something else', 'The capital of France is Paris, on the river Seine.'],
    ['one that could be said to anything', "I don't know about that, but it is so good to me."],
  ])('a fresh reply beats %s', (_name, text) => {
    expect(verdictOn(plain).score).toBeGreaterThan(verdictOn(text).score);
  });

  it('the likelier of two equal texts is better', () => {
    expect(verdictOn(plain, { logProb: -20 }).score).toBeGreaterThan(
      verdictOn(plain, { logProb: -40 }).score,
    );
  });

  it('fall with every further time that a part is said', () => {
    const scores = [1, 2, 3, 4].map((times) => verdictOn('we can walk by the river '.repeat(times)).score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it('of a beginning do not suffer from its being one', () => {
    const beginning = verdictOn('That sounds', { isEnded: false });
    expect(beginning.score).toBeGreaterThan(verdictOn('That sounds').score);
  });

  it('of the default ranker lie within a hundred, so that filtered ones can be put below', () => {
    const reach = (Object.keys(weights) as FeatureName[]).map((name) => {
      const [least, most] = featureRanges[name];
      return Math.abs(weights[name]) * (most - least);
    });
    expect(reach.reduce((sum, one) => sum + one, 0)).toBeLessThan(100);
  });

  it('come from another ranker where one is given', () => {
    const learned: Ranker = {
      version: 'learned@1',
      score: ({ question, topicOverlap }) => Math.tanh(3 * topicOverlap) + question,
    };
    const judge = createJudge(context, learned);
    const contender = { index: 0, text: 'Tired?', tokens: 2, logProb: -3, isEnded: true };
    const [verdict] = judge([contender]);
    expect(verdict?.score).toBeGreaterThan(1);
    expect(verdict?.score).not.toBe(createJudge(context)([contender])[0]?.score);
    expect(defaultRanker.version).toBe('features@3');
  });
});

describe('any text', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    // Lone surrogates among others.
    fc.array(fc.integer({ min: 0xd700, max: 0xe000 })).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      'ab '.repeat(2700),
      '世'.repeat(8000),
      '\n'.repeat(8000),
      '😂'.repeat(4000),
      '<|'.repeat(4000),
    ),
  );

  it('gets a verdict whose features are in their ranges and whose reason is a known one', () => {
    fc.assert(
      fc.property(
        fc.record({ text: texts, userTurn: texts, own: texts, isEnded: fc.boolean() }),
        fc.record({ tokens: fc.nat(200), logProb: fc.oneof(fc.double(), fc.constant(-40)) }),
        ({ text, userTurn, own, isEnded }, measured) => {
          const about = { userTurn, ownTurns: [own, own] };
          const verdict = verdictOn(text, { isEnded, ...measured }, about);
          expect(Number.isFinite(verdict.score)).toBe(true);
          for (const [name, [least, most]] of Object.entries(featureRanges)) {
            expect(verdict.features[name]).toBeGreaterThanOrEqual(least);
            expect(verdict.features[name]).toBeLessThanOrEqual(most);
          }
          expect([null, ...filterReasons]).toContain(verdict.filterReason);
        },
      ),
      { numRuns: 300, seed: 4 },
    );
  });

  it('is judged on its first words, so that the work is bounded', () => {
    const beginning = Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ');
    const ofBeginning = verdictOn(beginning);
    const more = Array.from({ length: 1200 }, (_, i) => `v${i}`).join(' ');
    expect(verdictOn(`${beginning} ${more}`)).toEqual(ofBeginning);
  });

  it('is judged alike alone and among others', () => {
    const contenders = ['Yes.', 'I had a long day at work', 'no no no no'].map((text, index) => ({
      index,
      text,
      tokens: 5,
      logProb: -9,
      isEnded: true,
    }));
    const judge = createJudge(context);
    expect(judge(contenders)).toEqual(contenders.flatMap((one) => judge([one])));
  });
});
