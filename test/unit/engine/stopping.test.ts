/** What of a reply may be shown: stop strings with hold-back, and white space at its ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplyText } from '../../../src/engine/stopping.ts';

/** The text shown after each piece, and at the end; a stopped reply ends with `|`. */
function show(stops: readonly string[], pieces: readonly string[]): string[] {
  const reply = new ReplyText(stops);
  const shown = pieces.map((piece) => {
    reply.push(piece);
    return reply.text;
  });
  reply.end();
  return [...shown, reply.text + (reply.isStopped ? '|' : '')];
}

test.each([
  {
    name: 'text without a stop string goes through',
    stops: [],
    pieces: ['a', 'b'],
    shown: ['a', 'ab', 'ab'],
  },
  { name: 'nothing of a stop string is shown', stops: ['END'], pieces: ['aEND'], shown: ['a', 'a|'] },
  {
    name: 'the beginning of a stop string is held back',
    stops: ['END'],
    pieces: ['aE', 'N', 'D', 'b'],
    shown: ['a', 'a', 'a', 'a', 'a|'],
  },
  {
    name: 'what turns out not to be a stop string is shown after all',
    stops: ['END'],
    pieces: ['aEN', 'E', 'x'],
    shown: ['a', 'aEN', 'aENEx', 'aENEx'],
  },
  {
    name: 'held-back text is shown when the reply ends',
    stops: ['END'],
    pieces: ['aEN'],
    shown: ['a', 'aEN'],
  },
  {
    name: 'a stop string that begins inside a false start is found',
    stops: ['aab'],
    pieces: ['xa', 'a', 'a', 'b'],
    shown: ['x', 'x', 'xa', 'xa', 'xa|'],
  },
  {
    name: 'the stop string that is complete first counts',
    stops: ['abcd', 'bc'],
    pieces: ['abcd'],
    shown: ['a', 'a|'],
  },
  {
    name: 'of two that end together the longer one counts',
    stops: ['c', 'abc'],
    pieces: ['xabc'],
    shown: ['x', 'x|'],
  },
  {
    name: 'white space at the beginning is dropped',
    stops: [],
    pieces: [' ', '\n', ' a'],
    shown: ['', '', 'a', 'a'],
  },
  {
    name: 'white space waits until text follows',
    stops: [],
    pieces: ['a ', '\n', 'b', ' '],
    shown: ['a', 'a', 'a \nb', 'a \nb', 'a \nb'],
  },
  {
    name: 'no white space is left before a stop string',
    stops: ['END'],
    pieces: ['a \nEND'],
    shown: ['a', 'a|'],
  },
  {
    name: 'a stop string of white space is found',
    stops: ['\n\n'],
    pieces: ['a\n', '\nb'],
    shown: ['a', 'a', 'a|'],
  },
  {
    name: 'a stop string at the very beginning leaves nothing',
    stops: ['\nB:'],
    pieces: ['\nB:'],
    shown: ['', '|'],
  },
  { name: 'a reply of white space is empty', stops: [], pieces: [' ', '\n'], shown: ['', '', ''] },
])('$name', ({ stops, pieces, shown }) => {
  expect(show(stops, pieces)).toEqual(shown);
});

const letters = fc.constantFrom('a', 'b', ' ', '\n', '😀', '😁');
const anyText = fc.array(letters, { maxLength: 30 });
const anyStops = fc.array(
  fc.array(letters, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
  { maxLength: 3 },
);

test('the text is the same however it is cut into pieces, and what is shown is never taken back', () => {
  fc.assert(
    fc.property(anyText, anyStops, fc.array(fc.boolean(), { maxLength: 30 }), (parts, stops, cuts) => {
      const pieces: string[] = [];
      parts.forEach((part, index) => {
        if (index > 0 && cuts[index] === true) pieces[pieces.length - 1] += part;
        else pieces.push(part);
      });
      const shown = show(stops, pieces);
      expect(shown.at(-1)).toBe(show(stops, parts).at(-1));
      shown.reduce((before, after) => {
        expect(after.startsWith(before)).toBe(true);
        expect(after.isWellFormed()).toBe(true);
        return after;
      });
    }),
    { seed: 42, numRuns: 2000 },
  );
});

test('the text is what stands before the stop string that is complete first, without white space at its ends', () => {
  /** The rule letter by letter, with all text at hand. */
  const expected = (text: string, stops: readonly string[]) => {
    for (let end = 1; end <= text.length; end++) {
      const met = stops.filter((stop) => text.slice(0, end).endsWith(stop));
      if (met.length === 0) continue;
      const longest = Math.max(...met.map((stop) => stop.length));
      return `${text.slice(0, end - longest).trim()}|`;
    }
    return text.trim();
  };
  fc.assert(
    fc.property(anyText, anyStops, (parts, stops) => {
      expect(show(stops, parts).at(-1)).toBe(expected(parts.join(''), stops));
    }),
    { seed: 42, numRuns: 2000 },
  );
});
