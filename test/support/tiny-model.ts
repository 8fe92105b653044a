/**
 * Tiny models for tests: complete model directories (graph, tokenizer, chat template, manifest) in the format
 * of real ones, a few hundred KB, made in well under a second. Never commit what they write.
 *
 *     const directory = await mkdtemp(join(tmpdir(), 'amity-tiny-'));
 *     const manifest = await makeTinyModel(directory, { kind: 'counting' });
 *
 * `counting`: the next token depends on the last one only, at any temperature <= 1 (its probability is
 * 1 - 1e-13); so the text is known beforehand:
 *   - after a newline (that is after the ChatML prompt), a special token or any other byte: "a"
 *   - a -> b -> ... -> z, then the end token; with `endless: true` z -> space -> a, without end
 *   - after a colon (the transcript prompt "Person B:"): 0 -> 1 -> ... -> 9 -> 0 -> ..., without end
 *   So a ChatML prompt is answered with "abcdefghijklmnopqrstuvwxyz" (26 tokens and the end token).
 *   `countingNext(id, endless)` of models/tiny/counting.ts is the rule for every token.
 * `random`: seeded random weights, 3 layers, 4 heads on 2 key/value heads. Every token depends on the whole past;
 *   its text is noise with broken UTF-8. For proofs that two ways of running give the same bytes.
 *
 * Vocabulary of both: ids 0..255 are the bytes, then 8 merges ("th", "the", "in", "ll", "er", " w", " we", " the"),
 * then `<|endoftext|>` (264), `<|im_start|>` (265), `<|im_end|>` (266). The end tokens are 266 and 264.
 * Default weights: nb8, whose results do not depend on the other rows of a batch.
 */
import { mkdir } from 'node:fs/promises';
import { convertModel, type WeightName } from '../../models/convert.ts';
import { countingCheckpoint } from '../../models/tiny/counting.ts';
import { randomCheckpoint } from '../../models/tiny/random-llama.ts';
import type { Manifest } from '../../src/onnx/manifest.ts';

export interface TinyModelOptions {
  readonly kind: 'counting' | 'random';
  readonly weights?: WeightName;
  readonly layout?: Manifest['layout'];
  readonly fullLogits?: boolean;
  /** Counting only: after z comes a space and a again, and no end. */
  readonly endless?: boolean;
  /** Random only. */
  readonly seed?: number;
}

/** Writes a complete model directory, through the same converter as real models. Equal options give equal bytes. */
export async function makeTinyModel(directory: string, options: TinyModelOptions): Promise<Manifest> {
  const { kind, weights = 'nb8', layout, fullLogits = false, endless = false, seed = 1 } = options;
  await mkdir(directory, { recursive: true });
  await using checkpoint = kind === 'counting' ? countingCheckpoint({ endless }) : randomCheckpoint(seed);
  return await convertModel({
    checkpoint,
    directory,
    name: `tiny-${kind}`,
    weights,
    ...(layout === undefined ? {} : { layout }),
    fullLogits,
    source: { kind: 'synthetic', reference: 'models/tiny' },
    licence: 'Apache-2.0',
    createdAt: new Date(0),
  });
}
