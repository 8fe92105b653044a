/** Each feature by cases, in both directions. */
import { describe, expect, it } from 'vitest';
import { surprisalOf } from '../../../src/ranking/familiarity.ts';
import {
  endsWithQuestion,
  lengthOf,
  logLikelihoodOf,
  overlapOf,
  plainLikelihoodOf,
  repetitionOf,
  shortnessOf,
  topicOverlapOf,
} from '../../../src/ranking/features.ts';
import { hasClutter, speaksAsAssistant, speaksForOthers } from '../../../src/ranking/phrases.ts';
import { wordsOf } from '../../../src/ranking/words.ts';
import { verdictOn } from './verdicts.ts';

describe('logLikelihood', () => {
  const ended = (logProb: number, tokens: number) => logLikelihoodOf({ logProb, tokens, isEnded: true });
  const begun = (logProb: number, tokens: number) => logLikelihoodOf({ logProb, tokens, isEnded: false });

  it('is a mean, so that long replies are not punished for their length', () => {
    expect(ended(-15, 10)).toBe(-1.5);
    expect(ended(-60, 40)).toBe(-1.5);
  });

  it('is bounded where nothing was written, and where a token was impossible', () => {
    expect(ended(0, 0)).toBe(0);
    expect(ended(Number.NEGATIVE_INFINITY, 3)).toBe(-10);
    expect(begun(Number.NEGATIVE_INFINITY, 3)).toBe(-10);
    expect(ended(Number.NaN, 3)).toBe(-10);
  });

  it('of a beginning is drawn towards the ordinary, the less the longer it is', () => {
    expect(begun(0, 0)).toBe(-1.5);
    expect(begun(-1.5 * 14, 14)).toBe(-1.5);
    const distances = [4, 14, 40, 400].map((tokens) => begun(-0.5 * tokens, tokens) + 1.5);
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(distances[2]).toBeCloseTo(0.5);
    expect(distances[3]).toBeGreaterThan(0.9);
  });
});

describe('plainLikelihood', () => {
  it('is high for what could be said to anything, and low for what is about something', () => {
    const plain = plainLikelihoodOf(wordsOf("That is so good, I don't know."));
    const particular = plainLikelihoodOf(wordsOf('Penguins huddle against Antarctic blizzards.'));
    expect(plain).toBeGreaterThan(particular + 1);
  });

  it('knows common words, and takes all others for equally rare', () => {
    expect(surprisalOf('i')).toBe(3);
    expect(surprisalOf('the')).toBeLessThan(surprisalOf('weather'));
    expect(surprisalOf('xqzzt')).toBe(surprisalOf('界'));
  });

  it('begins in the middle, so that one word decides nothing', () => {
    expect(plainLikelihoodOf([])).toBe(-6);
    expect(plainLikelihoodOf(['xqzzt'])).toBeGreaterThan(-7);
  });
});

describe('repetition', () => {
  it.each([
    ['a b c d', 0],
    ['a b a b', 1 / 3],
    ['so so so so so', 0.75],
    ['one', 0],
    ['', 0],
  ])('of %j is %d', (text, share) => {
    expect(repetitionOf(wordsOf(text))).toBeCloseTo(share, 10);
  });
});

describe('the overlap with another text', () => {
  const turn = wordsOf('I like to hear about your day, tell me more about it whenever you want.');

  it.each([
    ['Something else entirely.', 0],
    ['I like to swim.', 0],
    ['I like to hear about music.', 2 / 8],
    ['I like to hear about your day, tell me more about it whenever.', 1],
  ])('of %j is %d', (text, overlap) => {
    expect(overlapOf(wordsOf(text), turn)).toBe(overlap);
  });

  it('is not mended by what follows', () => {
    const copied = 'I like to hear about your day';
    expect(overlapOf(wordsOf(`${copied}, and here is much that nobody has said before.`), turn)).toBe(
      overlapOf(wordsOf(copied), turn),
    );
  });

  it('needs more characters where each is a word', () => {
    expect(overlapOf(wordsOf('今天天气很好'), wordsOf('今天天气很好'))).toBe(0);
    expect(overlapOf(wordsOf('今天天气很好我们出去走走吧'), wordsOf('今天天气很好我们出去走走吧'))).toBe(1);
  });
});

describe('topicOverlap', () => {
  const user = wordsOf('I was working on my garden and the tomatoes look great');

  it('weighs words by what they say, and knows other forms of them', () => {
    expect(topicOverlapOf(wordsOf('I was on the and my'), user)).toBe(0);
    expect(topicOverlapOf(wordsOf('Gardening is fun'), user)).toBeGreaterThan(0);
    expect(topicOverlapOf(wordsOf('garden tomatoes'), user)).toBeGreaterThan(
      topicOverlapOf(wordsOf('garden'), user),
    );
    expect(topicOverlapOf(user, user)).toBe(1);
  });

  it('is 0 where the user has no subject', () => {
    expect(topicOverlapOf(wordsOf('hello'), [])).toBe(0);
    expect(topicOverlapOf(wordsOf('me too'), wordsOf('me too'))).toBe(0);
  });
});

describe('length', () => {
  it('is short below six words, and only at the end', () => {
    expect(shortnessOf(wordsOf('Ok.'))).toBeCloseTo(5 / 6, 10);
    expect(shortnessOf(wordsOf('one two three four five six'))).toBe(0);
    expect(verdictOn('Ok').features['shortness']).toBeGreaterThan(0);
    expect(verdictOn('Ok', { isEnded: false }).features['shortness']).toBe(0);
  });

  it('is long from thirty words on', () => {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
    expect([30, 55, 80, 300].map((count) => lengthOf(words(count)))).toEqual([0, 0.5, 1, 1]);
  });
});

describe('questions', () => {
  it.each([
    ['What happened?', true],
    ['Really?"', true],
    ['真的吗？', true],
    ['هل أنت بخير؟', true],
    ['What? Never mind.', false],
    ['', false],
  ])('%j ends with one: %s', (text, isOne) => {
    expect(endsWithQuestion(text)).toBe(isOne);
  });

  it('are counted apart where the turn before asked too', () => {
    const asked = { userTurn: 'Fine.', ownTurns: ['How are you?'] };
    const told = { userTurn: 'Fine.', ownTurns: ['How are you?', 'Good to see you.'] };
    expect(verdictOn('And what now?', {}, asked).features).toMatchObject({ question: 1, questionAgain: 1 });
    expect(verdictOn('And what now?', {}, told).features).toMatchObject({ question: 1, questionAgain: 0 });
  });
});

describe('voices', () => {
  it.each([
    ['User: and then?', true],
    ['Sure.\nPerson A: I see.', true],
    ['Sure. Person A: I see.', true],
    ['Sure.\n**You:** fine', true],
    ['Fine <|im_end|>', true],
    ['[INST] tell me', true],
    ['A user: that is what I am to them.', false],
    ['You: always on my mind, they sang', true],
    ['I love you: more than words.', false],
    ['a < b | c > d', false],
    ['The system works.', false],
  ])('%j is another side speaking: %s', (text, isLeak) => {
    expect(speaksForOthers(text)).toBe(isLeak);
  });

  it('of an assistant are right when somebody asks', () => {
    const text = 'I am an AI, so I do not have feelings.';
    expect(speaksAsAssistant(text)).toBe(true);
    expect(speaksAsAssistant('How can I help you today?')).toBe(true);
    expect(speaksAsAssistant('I have an aim, and an airy room.')).toBe(false);
    const asked = { userTurn: 'Are you a robot?', ownTurns: [] };
    expect(verdictOn(text).features['assistantVoice']).toBe(1);
    expect(verdictOn(text, {}, asked).features['assistantVoice']).toBe(0);
  });

  it.each([
    ['See [insert link here].', true],
    ['*smiles* Hello', true],
    ['Oh (laughs) stop it', true],
    ['So happy #blessed', true],
    ['Look at https://example.org', true],
    ['Do this:\n1. Breathe', true],
    ['I am number #1, 2 * 3 is 6 (six).', false],
    ['I have 3 cats.\nAnd you?', false],
  ])('%j holds what nobody says: %s', (text, isCluttered) => {
    expect(hasClutter(text)).toBe(isCluttered);
  });
});
