/**
 * What the engine takes for granted of whatever runs the network. Every ModelRunner passes this suite.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ForwardRow, ModelRunner, RowLogits } from '../../src/engine/model-runner.ts';

export interface RunnerUnderTest {
  open(size: { readonly slots: number; readonly positions: number }): Promise<ModelRunner>;
  readonly vocabularySize: number;
  /** How far two ways of computing one number may differ: 0 where no arithmetic is involved. */
  readonly tolerance: number;
}

const SLOTS = 20;
const POSITIONS = 300;

export function describeModelRunner(name: string, subject: RunnerUnderTest): void {
  describe(`ModelRunner: ${name}`, () => {
    let runner: ModelRunner;
    beforeAll(async () => {
      runner = await subject.open({ slots: SLOTS, positions: POSITIONS });
    });
    afterAll(() => runner[Symbol.asyncDispose]());

    const random = createRandom(7);
    const text = (length: number) =>
      Int32Array.from({ length }, () => 3 + random(subject.vocabularySize - 8));
    const row = (slot: number, position: number, tokens: Int32Array): ForwardRow => ({
      slot,
      position,
      tokens,
      wantsLogits: true,
    });
    const run = async (rows: readonly ForwardRow[]) => (await runner.forward(rows)).map((logits) => logits!);
    const prefill = async (slot: number, tokens: Int32Array) => (await run([row(slot, 0, tokens)]))[0]!;

    test('a row gets the most likely tokens in falling order, and only when it wants them', async () => {
      const [silent, logits] = await runner.forward([
        { slot: 0, position: 0, tokens: text(9), wantsLogits: false },
        row(1, 0, text(5)),
      ]);
      expect(silent).toBeNull();
      const { values, ids, logSumExp } = logits!;
      expect(values).toHaveLength(runner.limits.topK);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
      expect(new Set(ids).size).toBe(runner.limits.topK);
      expect(Math.max(...ids)).toBeLessThan(subject.vocabularySize);
      expect(logSumExp).toBeGreaterThan(values[0]!);
    });

    test('a row of a batch is the same row alone, to the last bit, whatever its neighbours and their lengths', async () => {
      for (const batch of [2, 3, 7, 12, SLOTS]) {
        const prompts = Array.from({ length: batch }, () => text(2 + random(POSITIONS - 10)));
        const steps = prompts.map(() => text(3));
        const together = [await run(prompts.map((prompt, slot) => row(slot, 0, prompt)))];
        const step = (slot: number, n: number) =>
          row(slot, prompts[slot]!.length + n, steps[slot]!.subarray(n, n + 1));
        for (let n = 0; n < 3; n += 1) together.push(await run(prompts.map((_, slot) => step(slot, n))));
        for (let slot = 0; slot < batch; slot += 1) {
          const alone = [await prefill(0, prompts[slot]!)];
          for (let n = 0; n < 3; n += 1) alone.push(...(await run([{ ...step(slot, n), slot: 0 }])));
          expect(alone.map(bits)).toEqual(together.map((results) => bits(results[slot]!)));
        }
      }
    });

    test('a prompt in pieces leads where the whole prompt leads', async () => {
      const prompt = text(150);
      const whole = await prefill(0, prompt);
      for (const cuts of [
        [0, 64, 128, 150],
        [0, 2, 149, 150],
        [0, 75, 150],
      ]) {
        let last: RowLogits | undefined;
        for (let i = 1; i < cuts.length; i += 1) {
          const tokens = prompt.subarray(cuts[i - 1]!, cuts[i]!);
          [last] = await run([row(0, cuts[i - 1]!, tokens)]);
        }
        expectClose(last!, whole, subject.tolerance);
      }
    });

    test('a prompt cut at the same places is the same to the last bit beside wide neighbours', async () => {
      const prompt = text(100);
      const inPieces = async (slot: number) => {
        await runner.forward([{ slot, position: 0, tokens: prompt.subarray(0, 64), wantsLogits: false }]);
        return (await run([row(slot, 64, prompt.subarray(64))]))[0]!;
      };
      const alone = await inPieces(0);
      await run([row(0, 0, text(POSITIONS - 5))]);
      expect(bits(await inPieces(1))).toEqual(bits(alone));
    });

    test('a copied slot goes on like the original, and the original like before', async () => {
      const prompt = text(40);
      const next = text(2);
      await prefill(0, prompt);
      const [expected] = await run([row(0, 40, next.subarray(0, 1))]);
      await prefill(0, prompt);
      await prefill(1, text(70));
      runner.copySlot(0, 1, 40);
      const results = await run([row(0, 40, next.subarray(0, 1)), row(1, 40, next.subarray(0, 1))]);
      expect(results.map(bits)).toEqual([bits(expected!), bits(expected!)]);
    });

    test('a slot that begins anew remembers nothing', async () => {
      const prompt = text(30);
      const fresh = await prefill(0, prompt);
      await prefill(0, text(200));
      expect(bits(await prefill(0, prompt))).toEqual(bits(fresh));
    });

    test('what was written past the committed length does not count', async () => {
      const prompt = text(30);
      const token = text(1);
      await prefill(0, prompt);
      const [expected] = await run([row(0, 30, token)]);
      await prefill(0, prompt);
      await run([row(0, 30, text(20))]);
      const [again] = await run([row(0, 30, token)]);
      expect(bits(again!)).toEqual(bits(expected!));
    });

    test('scoring a text gives the log-probabilities that writing it gives', async () => {
      const tokens = text(200);
      const scores = await runner.scoreTokens(tokens);
      expect(scores).toHaveLength(199);
      for (const position of [1, 2, 64, 127, 128, 129, 199]) {
        const logits = await prefill(0, tokens.subarray(0, Math.max(2, position)));
        if (position === 1) continue;
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
      const prompt = text(20);
      const token = text(1);
      await prefill(0, prompt);
      const [expected] = await run([row(0, 20, token)]);
      await runner.scoreTokens(text(50));
      const [again] = await run([row(0, 20, token)]);
      expect(bits(again!)).toEqual(bits(expected!));
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
