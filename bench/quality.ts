/**
 * What 8-bit weights cost: perplexity, favourites and divergence against float32 weights of the same checkpoint.
 *
 *     npx tsx bench/quality.ts [dialogs.jsonl] [--from <folder or .gguf>] [--tokens <most tokens a dialog>]
 *
 * Workload: each dialog as a transcript, all tokens at once, compared are the words of both people (not the
 * frame). Without --from the checkpoint of the default model is fetched into bench/.cache. Writes
 * bench/results/quality.json when the dialogs are those of bench/data.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { convertModel, type WeightName } from '../models/convert.ts';
import { readRegistry } from '../models/registry.ts';
import type { FetchedCheckpoint } from '../models/sources/source.ts';
import { openTokenizer } from '../src/onnx/tokenizer.ts';
import { openPlainForward } from '../test/support/plain-forward.ts';
import { findCheckpoint } from './checkpoint.ts';
import { addPosition, type Comparison, emptyComparison } from './quality/compare.ts';
import { readDialogs, sampleDialogs, toTokens } from './quality/dialogs.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string' }, tokens: { type: 'string', default: '512' } },
});

const checkpoint = await findCheckpoint(flags.from);
const scratch = await mkdtemp(join(tmpdir(), 'amity-quality-'));
try {
  const reference = await convert(checkpoint, 'fp32');
  const candidate = await convert(checkpoint, 'nb8');
  const dialogs = await readDialogs(positionals[0] ?? sampleDialogs);
  const result = await compare(reference, candidate, dialogs);
  console.log(JSON.stringify(result.summary, null, 2));
  if (positionals[0] === undefined) await save(result);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

type Converted = Awaited<ReturnType<typeof convert>>;

async function compare(
  reference: Converted,
  candidate: Converted,
  dialogs: Awaited<ReturnType<typeof readDialogs>>,
) {
  const tokenizer = await openTokenizer(reference.directory, reference.manifest);
  await using left = await openPlainForward(reference.directory, reference.manifest);
  await using right = await openPlainForward(candidate.directory, candidate.manifest);
  const { vocabSize } = reference.manifest.shape;
  const total = emptyComparison();
  const perDialog: { id: string; tokens: number; referenceLoss: number }[] = [];
  for (const dialog of dialogs) {
    const { ids, isText } = toTokens(dialog, tokenizer, Number(flags.tokens));
    const [a, b] = [(await left.run(ids)).logits, (await right.run(ids)).logits];
    const before = { ...total };
    for (let row = 0; row + 1 < ids.length; row++) {
      if (a === null || b === null || isText[row + 1] !== true) continue;
      const at = [row * vocabSize, (row + 1) * vocabSize] as const;
      addPosition(total, {
        reference: a.subarray(...at),
        candidate: b.subarray(...at),
        target: ids[row + 1]!,
      });
    }
    const { tokens, referenceLoss } = total;
    perDialog.push({
      id: dialog.id,
      tokens: tokens - before.tokens,
      referenceLoss: referenceLoss - before.referenceLoss,
    });
    process.stderr.write(`${perDialog.length} of ${dialogs.length} dialogs, ${tokens} tokens\n`);
  }
  return { summary: summarise(total, dialogs.length), perDialog };
}

function summarise(
  { tokens, referenceLoss, candidateLoss, agreements, divergences }: Comparison,
  dialogs: number,
) {
  const perplexity = { fp32: Math.exp(referenceLoss / tokens), nb8: Math.exp(candidateLoss / tokens) };
  const sorted = divergences.toSorted((x, y) => x - y);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return {
    dialogs,
    tokens,
    perplexity,
    perplexityChangePercent: 100 * (perplexity.nb8 / perplexity.fp32 - 1),
    topOneAgreementPercent: (100 * agreements) / tokens,
    divergence: {
      mean: divergences.reduce((sum, value) => sum + value, 0) / tokens,
      median: quantile(0.5),
      p99: quantile(0.99),
      largest: quantile(1),
    },
  };
}

/** What test/model/quality.test.ts compares the pulled model with. */
async function save({ summary, perDialog }: Awaited<ReturnType<typeof compare>>): Promise<void> {
  const rounded = perDialog.map((entry) => ({
    ...entry,
    referenceLoss: Number(entry.referenceLoss.toFixed(4)),
  }));
  const json = {
    model: (await readRegistry()).default,
    tokensMax: Number(flags.tokens),
    summary,
    dialogs: rounded,
  };
  const directory = fileURLToPath(new URL('results/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'quality.json'), `${JSON.stringify(json, null, 2)}\n`);
}

async function convert({ open, source }: FetchedCheckpoint, weights: WeightName) {
  const directory = join(scratch, weights);
  await mkdir(directory);
  await using opened = await open();
  const manifest = await convertModel({
    checkpoint: opened,
    directory,
    name: 'quality',
    weights,
    fullLogits: true,
    source,
    licence: null,
    createdAt: new Date(),
  });
  return { directory, manifest };
}
