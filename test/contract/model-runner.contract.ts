/**
 * What the engine takes for granted of whatever runs the network. Every ModelRunner passes this suite.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecodeRow, ModelRunner, RowLogits } from '../../src/engine/model-runner.ts';

export interface RunnerUnderTest {
  open(size: {
    readonly slots: number;
    readonly positions: number;
    readonly kept: { readonly blocks: number; readonly tokens: number };
  }): Promise<ModelRunner>;
  readonly vocabularySize: number;
  /** Whether it can keep pieces of prompts; yes where it does not say. */
  readonly keepsBlocks?: boolean;
  /** How far two ways of computing one number may differ: 0 where no arithmetic is involved. */
  readonly tolerance: number;
}

const SLOTS = 20;
const POSITIONS = 300;
const BLOCK = 24;

export function describeModelRunner(name: string, subject: RunnerUnderTest): void {
  describe(`ModelRunner: ${name}`, () => {
    let runner: ModelRunner;
    beforeAll(async () => {
      runner = await subject.open({ slots: SLOTS, positions: POSITIONS, kept: { blocks: 4, tokens: BLOCK } });
    });
    afterAll(() => runner[Symbol.asyncDispose]());

    const random = createRandom(7);
    const text = (length: number) =>
      Int32Array.from({ length }, () => 3 + random(subject.vocabularySize - 8));
    const prefill = async (slot: number, tokens: Int32Array, position = 0) =>
      (await runner.prefill({ slot, position, tokens, wantsLogits: true }))!;
    const next = async (row: Omit<DecodeRow, 'slot'>) => (await runner.decode([{ ...row, slot: 0 }]))[0]!;

    test('a row gets the most likely tokens in falling order, and only when it wants them', async () => {
      const silent = { slot: 0, position: 0, tokens: text(9), wantsLogits: false };
      expect(await runner.prefill(silent)).toBeNull();
      const { values, ids, logSumExp } = await prefill(1, text(5));
      expect(values).toHaveLength(runner.limits.topK);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
      expect(new Set(ids).size).toBe(runner.limits.topK);
      expect(Math.max(...ids)).toBeLessThan(subject.vocabularySize);
      expect(logSumExp).toBeGreaterThan(values[0]!);
    });

    /** Replies of 1 to 70 tokens to prompts of 1 to 220, some of which are answered by several rows. */
    const createBatch = (size: number) => {
      const prompts = Array.from({ length: 1 + random(size) }, () => text(1 + random(220)));
      // Each prompt has a row at least; the others are spread at random, in any order.
      const rows = Array.from({ length: size }, (_, row) => ({
        prompt: row < prompts.length ? prompts.length - 1 - row : random(prompts.length),
        reply: text(1 + random(70)),
      }));
      return { prompts, rows };
    };

    test('a row of a batch is the same row alone, to the last bit, whoever shares its prompt or sits beside it', async () => {
      for (const size of [1, 2, 3, 7, 12, SLOTS]) {
        const { prompts, rows } = createBatch(size);
        const together: string[][] = rows.map(() => []);
        for (const [slot, prompt] of prompts.entries()) await prefill(slot, prompt);
        const rowAt = (row: number, position: number) => {
          const { prompt, reply } = rows[row]!;
          const token = reply[position]!;
          return { position, token, prompt: { slot: prompt, length: prompts[prompt]!.length } };
        };
        for (let position = 0; position < 70; position += 1) {
          // Rows whose replies are over write their last token again: they stay, so that no prompt is left without a row.
          const batch = rows.map(({ reply }, slot) => ({
            ...rowAt(slot, Math.min(position, reply.length - 1)),
            slot,
          }));
          const results = await runner.decode(batch);
          results.forEach((logits, slot) => {
            if (position < rows[slot]!.reply.length) together[slot]!.push(bits(logits));
          });
        }
        for (const [row, { prompt, reply }] of rows.entries()) {
          await prefill(0, prompts[prompt]!);
          const alone: string[] = [];
          for (let position = 0; position < reply.length; position += 1) {
            const at = rowAt(row, position);
            alone.push(bits(await next({ ...at, prompt: { ...at.prompt, slot: 0 } })));
          }
          expect(alone).toEqual(together[row]);
        }
      }
    });

    test('a reply is what the same text is as a prompt', async () => {
      const [prompt, reply] = [text(90), text(70)];
      await prefill(0, prompt);
      let written: RowLogits | undefined;
      for (const [position, token] of reply.entries()) {
        written = await next({ position, token, prompt: { slot: 0, length: prompt.length } });
      }
      expectClose(written!, await prefill(1, Int32Array.of(...prompt, ...reply)), subject.tolerance);
    });

    test('a prompt in pieces leads where the whole prompt leads', async () => {
      const prompt = text(150);
      const whole = await prefill(0, prompt);
      for (const cuts of [
        [0, 64, 128, 150],
        [0, 1, 149, 150],
        [0, 75, 150],
      ]) {
        let last: RowLogits | undefined;
        for (let i = 1; i < cuts.length; i += 1) {
          last = await prefill(0, prompt.subarray(cuts[i - 1]!, cuts[i]!), cuts[i - 1]!);
        }
        expectClose(last!, whole, subject.tolerance);
      }
    });

    test('a prompt cut at the same places is the same to the last bit beside wide neighbours', async () => {
      const prompt = text(100);
      const inPieces = async (slot: number) => {
        await prefill(slot, prompt.subarray(0, 64));
        return prefill(slot, prompt.subarray(64), 64);
      };
      const alone = await inPieces(0);
      await prefill(0, text(POSITIONS - 5));
      expect(bits(await inPieces(1))).toEqual(bits(alone));
    });

    test('copied slots go on like the original, and the original like before', async () => {
      const [prompt, reply, token] = [text(40), text(3), text(1)[0]!];
      const write = async (slot: number, of: { slot: number; length: number }) => {
        for (const [position, written] of reply.entries()) {
          const others = Array.from({ length: slot }, (_, other) => ({
            slot: other,
            position: 0,
            token: 5,
            prompt: of,
          }));
          await runner.decode([...others, { slot, position, token: written, prompt: of }]);
        }
      };
      const of = { slot: 0, length: prompt.length };
      await prefill(0, prompt);
      await write(0, of);
      const expected = bits(await next({ position: 3, token, prompt: of }));
      await prefill(1, text(70));
      await write(1, of);
      runner.copyReply(1, 0, 3);
      expect(bits(await next({ position: 3, token, prompt: of }))).toEqual(expected);
      runner.copyPrompt(0, 1, prompt.length);
      runner.copyReply(0, 1, 3);
      const results = await runner.decode([
        { slot: 0, position: 3, token, prompt: { slot: 1, length: prompt.length } },
        { slot: 1, position: 3, token, prompt: of },
      ]);
      expect(results.map(bits)).toEqual([expected, expected]);
    });

    test.runIf(subject.keepsBlocks ?? true)(
      'a prompt that begins with blocks of another is the same to the last bit as one that ran whole',
      async () => {
        const [prompt, other, token] = [text(3 * BLOCK + 7), text(POSITIONS - 9), text(1)[0]!];
        const runFrom = async (slot: number, first: number) => {
          let last: RowLogits | undefined;
          for (let position = first; position < prompt.length; position += BLOCK) {
            last = await prefill(slot, prompt.subarray(position, position + BLOCK), position);
          }
          return last!;
        };
        const whole = bits(await runFrom(0, 0));
        for (const place of [0, 1, 2]) runner.saveBlock(3 - place, { slot: 0, position: place * BLOCK });
        const row = { slot: 0, position: 0, token, prompt: { slot: 0, length: prompt.length } };
        const [written] = await runner.decode([row]);
        await prefill(0, other);
        await prefill(1, other);
        runner.loadBlocks(1, [3, 2]);
        expect(bits(await runFrom(1, 2 * BLOCK))).toEqual(whole);
        runner.loadBlocks(0, [3, 2, 1]);
        expect(bits(await runFrom(0, 3 * BLOCK))).toEqual(whole);
        const rows = [row, { ...row, slot: 1, prompt: { ...row.prompt, slot: 1 } }];
        expect((await runner.decode(rows)).map(bits)).toEqual([bits(written!), bits(written!)]);
        runner.saveBlock(3, { slot: 1, position: 2 * BLOCK });
        runner.loadBlocks(1, [3]);
        const third = prompt.subarray(2 * BLOCK, 3 * BLOCK);
        expect(bits(await prefill(1, Int32Array.of(9), BLOCK))).not.toEqual(bits(await prefill(2, third)));
      },
    );

    test('a prompt stays as long as replies to it are written', async () => {
      const [prompt, token] = [text(12), text(1)[0]!];
      const of = { slot: 0, length: prompt.length };
      await prefill(0, prompt);
      const first = bits(await next({ position: 0, token, prompt: of }));
      for (let position = 0; position < 150; position += 1) await next({ position, token, prompt: of });
      runner.copyPrompt(0, 1, prompt.length);
      await prefill(0, text(5));
      const [, second] = await runner.decode([
        { slot: 0, position: 0, token, prompt: { slot: 0, length: 5 } },
        { slot: 1, position: 0, token, prompt: { slot: 1, length: prompt.length } },
      ]);
      expect(bits(second!)).toEqual(first);
    });

    test('slots that begin anew remember nothing', async () => {
      const [prompt, token] = [text(30), text(1)[0]!];
      const fresh = bits(await prefill(0, prompt));
      const of = { slot: 0, length: prompt.length };
      const first = bits(await next({ position: 0, token, prompt: of }));
      await prefill(0, text(200));
      for (let position = 0; position < 9; position += 1) {
        await next({ position, token: 7, prompt: { slot: 0, length: 200 } });
      }
      expect(bits(await prefill(0, prompt))).toEqual(fresh);
      expect(bits(await next({ position: 0, token, prompt: of }))).toEqual(first);
    });

    test('what was written past the committed length does not count', async () => {
      const [prompt, token] = [text(30), text(1)[0]!];
      const of = { slot: 0, length: prompt.length };
      await prefill(0, prompt);
      const expected = bits(await next({ position: 0, token, prompt: of }));
      await prefill(0, text(20), 30);
      for (const position of [0, 1, 2]) await next({ position, token: 9, prompt: of });
      expect(bits(await next({ position: 0, token, prompt: of }))).toEqual(expected);
    });

    test('scoring a text gives the log-probabilities that writing it gives', async () => {
      const tokens = text(200);
      const scores = await runner.scoreTokens(tokens);
      expect(scores).toHaveLength(199);
      for (const position of [1, 2, 64, 127, 128, 129, 199]) {
        const logits = await prefill(0, tokens.subarray(0, position));
        const place = logits.ids.indexOf(tokens[position]!);
        const score = scores[position - 1]!;
        if (place >= 0) {
          const expected = logits.values[place]! - logits.logSumExp;
          expect(Math.abs(score - expected)).toBeLessThanOrEqual(subject.tolerance + 1e-5);
        } else
          expect(score).toBeLessThan(logits.values.at(-1)! - logits.logSumExp + subject.tolerance + 1e-5);
      }
      expect(await runner.scoreTokens(tokens)).toEqual(scores);
    });

    test('scoring touches no slot', async () => {
      const row = { position: 0, token: 4, prompt: { slot: 0, length: 20 } };
      await prefill(0, text(20));
      const expected = bits(await next(row));
      await runner.scoreTokens(text(50));
      expect(bits(await next(row))).toEqual(expected);
    });
  });
}

function bits({ values, ids, logSumExp }: RowLogits): string {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
  return `${raw} ${ids.join()} ${logSumExp}`;
}

function expectClose(actual: RowLogits, expected: RowLogits, tolerance: number): void {
  expect(Math.abs(actual.logSumExp - expected.logSumExp)).toBeLessThanOrEqual(tolerance);
  const distance = actual.values.map((value, i) => Math.abs(value - expected.values[i]!));
  expect(Math.max(...distance)).toBeLessThanOrEqual(tolerance);
}

/** Integers below `n`, from a seed (a linear congruential generator is random enough to choose tokens). */
export function createRandom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
}
