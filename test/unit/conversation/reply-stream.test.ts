/** A reader is an offset: whatever the interleaving, what it takes is contiguous and adds up to the text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyStream } from '../../../src/conversation/reply-stream.ts';
import { aMessage } from '../../support/builders.ts';

const end = { kind: 'end', message: aMessage({ role: 'companion' }), finishReason: 'stop' } as const;

function takeAll(reader: ReturnType<ReplyStream['read']>): {
  text: string;
  offsets: number[];
  kinds: string[];
} {
  const seen = { text: '', offsets: [] as number[], kinds: [] as string[] };
  for (let event = reader.take(); event !== null; event = reader.take()) {
    seen.kinds.push(event.kind);
    if (event.kind !== 'delta') continue;
    seen.text += event.text;
    seen.offsets.push(event.offset);
  }
  return seen;
}

describe('ReplyStream', () => {
  it('gives every reader the whole text, in contiguous deltas, whatever the order of appending and taking', () => {
    const steps = fc.array(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constant(null)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (script) => {
        const stream = new ReplyStream();
        const reader = stream.read(0);
        let got = '';
        const take = () => {
          for (let event = reader.take(); event !== null; event = reader.take()) {
            if (event.kind !== 'delta') continue;
            expect(event.offset).toBe(got.length);
            got += event.text;
          }
        };
        stream.start(1, 1);
        for (const step of script) {
          if (step === null) take();
          else stream.append(step);
        }
        stream.finish(end);
        take();
        expect(got).toBe(stream.text);
        expect(reader.closed).toBe(true);
      }),
    );
  });

  it('hands a slow reader one delta for everything it missed', () => {
    const stream = new ReplyStream();
    const reader = stream.read(0);
    stream.start(1, 1);
    for (const word of ['one ', 'two ', 'three']) stream.append(word);
    stream.finish(end);
    expect(takeAll(reader)).toEqual({
      text: 'one two three',
      offsets: [0],
      kinds: ['start', 'delta', 'end'],
    });
  });

  it('continues exactly where it is sought to, and says nothing of what lies before', () => {
    const stream = new ReplyStream();
    stream.start(1, 1);
    stream.append('abcdef');
    const reader = stream.read(0);
    reader.seek(4);
    stream.append('gh');
    expect(takeAll(reader)).toEqual({ text: 'efgh', offsets: [4], kinds: ['delta'] });
  });

  it('tells a reader without an offset of start and end only', () => {
    const stream = new ReplyStream();
    const reader = stream.read(null);
    stream.start(1, 1);
    stream.append('secret');
    stream.finish(end);
    expect(takeAll(reader).kinds).toEqual(['start', 'end']);
  });

  it('does not announce the start to a reader that comes after the first text', () => {
    const stream = new ReplyStream();
    stream.start(1, 1);
    stream.append('abc');
    expect(takeAll(stream.read(0)).kinds).toEqual(['delta']);
  });

  it('wakes a waiting reader when text comes, when the reply ends, and when the reader is closed', async () => {
    const stream = new ReplyStream();
    const reader = stream.read(0);
    for (const wake of [() => stream.append('x'), () => stream.finish(end), () => reader.close()]) {
      const woken = reader.wait();
      wake();
      await woken;
    }
    expect(reader.take()).toBeNull();
  });

  it('keeps the first end and takes no text after it', async () => {
    const stream = new ReplyStream();
    stream.append('kept');
    stream.finish(end);
    stream.append(' lost');
    stream.finish({ ...end, finishReason: 'length' });
    expect(stream.text).toBe('kept');
    expect(await stream.ended()).toBe(end);
  });
});
