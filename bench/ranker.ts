/**
 * Fits the weights of the ranker and says what it is worth on judgements that it has not seen.
 *
 *     npm run bench -- ranker --dialogs DIR [--threads 2]
 *     npm run bench -- ranker --dialogs DIR --words
 *
 * DIR holds `<source>.jsonl.gz` (docs/ranking.md names the sources). Likelihoods are measured once and kept in bench/.cache/ranker; remove
 * it after a change of the model or of the prompt. `--words` counts words anew instead and writes src/ranking/weights/word-frequencies.ts.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCandidateScorer } from '../src/cli/rank-candidates.ts';
import { loadConfig } from '../src/config/load.ts';
import { describeMachine } from './machine.ts';
import { sampleContexts } from './race/prompts.ts';
import { readRecordings, recordAll } from './race/record.ts';
import { writeWordFrequencies } from './ranker/count-words.ts';
import { type Measured, measureAll } from './ranker/measure.ts';
import { type Judged, readJudged, type Source, takeGroups } from './ranker/preferences.ts';
import { makeReport } from './ranker/report.ts';

const { values } = parseArgs({
  options: {
    dialogs: { type: 'string' },
    threads: { type: 'string', default: '2' },
    words: { type: 'boolean', default: false },
  },
});
const { dialogs: directory, threads } = values;
if (directory === undefined) throw new Error('--dialogs DIR is needed');

/** Groups taken of each source; fitted on train, chosen on valid, reported on test. */
const counts: Readonly<Record<Source, Readonly<Record<Judged['split'], number>>>> = {
  ieval: { train: 80, valid: 35, test: 51 },
  conture: { train: 36, valid: 10, test: 17 },
  apt: { train: 160, valid: 40, test: 80 },
  'accentor-sgd': { train: 0, valid: 0, test: 60 },
};

const cache = fileURLToPath(new URL('.cache/ranker/', import.meta.url));
mkdirSync(cache, { recursive: true });

if (values.words) {
  await writeWordFrequencies(
    directory,
    new URL('../src/ranking/weights/word-frequencies.ts', import.meta.url),
  );
} else {
  const measured = await measureSources(directory);
  const result = { ...describeMachine(), ...makeReport(measured, await recordCandidates(directory)) };
  writeFileSync(new URL('results/ranker.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
  console.table(result.weights);
  console.table(result.accuracy);
}

async function measureSources(from: string): Promise<readonly Measured[][]> {
  const config = loadConfig({ ...process.env, AMITY_THREADS: threads }, process.cwd());
  await using scorer = await openCandidateScorer(config);
  const all: Measured[][] = [];
  for (const source of Object.keys(counts) as Source[]) {
    const judged = await readJudged(from, source);
    for (const split of ['train', 'valid', 'test'] as const) {
      const groups = takeGroups(judged, split, counts[source][split]);
      const measured = await measureAll(groups, scorer, `${cache}${source}-${split}.jsonl`);
      all.push(...measured.map((group) => [...group]));
    }
  }
  return all;
}

/** Ten candidates of the default model each: what scores will have to tell apart. */
async function recordCandidates(from: string) {
  const file = `${cache}candidates.jsonl`;
  if (!existsSync(file)) {
    const sources = [
      'chitchat',
      'self-dialogue',
      'persona-chat',
      'synthetic-persona-chat',
      'ieval',
      'counsel-chat',
    ];
    const modelDirectory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
    const contexts = await sampleContexts(from, { count: 60, seed: 5, sources });
    await recordAll(contexts, { modelDirectory, candidates: 10, seed: 5, threads: Number(threads), file });
  }
  return await readRecordings(file);
}
