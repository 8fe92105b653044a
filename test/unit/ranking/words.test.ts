/** Texts as words, in any script, and what two of them have in common. */
import { describe, expect, it } from 'vitest';
import { longestCommonPart, wordsMax, wordsOf } from '../../../src/ranking/words.ts';

describe('words', () => {
  it.each([
    ["Don't STOP, привет 42!", ["don't", 'stop', 'привет', '42']],
    ['It’s one apostrophe or the other', ["it's", 'one', 'apostrophe', 'or', 'the', 'other']],
    ['世界 hello世', ['世', '界', 'hello', '世']],
    ['กินข้าว', ['กิ', 'น', 'ข้', 'า', 'ว']],
    ['नमस्ते दुनिया', ['नमस्ते', 'दुनिया']],
    ['cafe\u0301 naïve', ['cafe\u0301', 'naïve']],
    ['so 😂😂 🇫🇷', ['so', '😂', '😂', '🇫🇷']],
    ['\ud800 lone \udc00', ['lone']],
    ['... — !?', []],
    ['', []],
  ])('of %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('are bounded, whatever comes after', () => {
    const long = 'one two three '.repeat(600);
    expect(wordsOf(long)).toHaveLength(wordsMax);
    expect(wordsOf('a'.repeat(8000))).toEqual(['a'.repeat(2000)]);
  });
});

describe('the longest common part', () => {
  it.each([
    ['x a b c y', 'a b c', 3],
    ['a b c', 'c b a', 1],
    ['a a a', 'a a', 2],
    ['a b', 'c d', 0],
    ['', 'a', 0],
    ['a b x c d e', 'c d e a b', 3],
  ])('of %j and %j has %i words', (a, b, length) => {
    expect(longestCommonPart(wordsOf(a), wordsOf(b))).toBe(length);
    expect(longestCommonPart(wordsOf(b), wordsOf(a))).toBe(length);
  });
});
