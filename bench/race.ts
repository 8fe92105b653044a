/**
 * What racing is worth: candidates recorded whole, then raced by many plans, on real dialogs.
 *
 *     npm run bench -- race --dialogs DIR [--prompts 450] [--seed 1] [--reuse] [--page docs/candidates.md] [--pairs FILE]
 *
 * DIR holds `<source>.jsonl.gz`, a dialog a line: `{ id, source, split, turns: [{ text }] }`; the valid splits are used. Counted are
 * contexts whose candidates have at least 40 tokens on average (`long`), and all. `--reuse` takes the recording of the last run (bench/.cache).
 * `--page` writes 20 contexts with all their candidates; `--pairs` 40 pairs to be read blind, and FILE.key with the answers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { settings } from '../src/config/schema.ts';
import { racePlanOf } from '../src/conversation/load-level.ts';
import type { RacePlan } from '../src/engine/request.ts';
import { describeMachine } from './machine.ts';
import { renderCandidatesPage } from './race/candidates-page.ts';
import { renderRaceChart } from './race/chart.ts';
import { type Evaluation, evaluate } from './race/evaluate.ts';
import { makePairs } from './race/pairs.ts';
import { sampleContexts } from './race/prompts.ts';
import { type Recording, readRecordings, recordAll } from './race/record.ts';
import { describeShown } from './race/shown.ts';

const { values } = parseArgs({
  options: {
    dialogs: { type: 'string' },
    prompts: { type: 'string', default: '450' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    reuse: { type: 'boolean', default: false },
    page: { type: 'string' },
    pairs: { type: 'string' },
  },
});
const candidates = settings.AMITY_CANDIDATES.fallback;
const raceSettings = {
  quality: 'live',
  candidates,
  commitTokens: settings.AMITY_COMMIT_TOKENS.fallback,
  exploration: 0,
} as const;
const level1 = racePlanOf(1, raceSettings);
const tokensMin = 40;
/** Small talk between people; permissive licences. */
const sources = [
  'chitchat',
  'self-dialogue',
  'topical-chat',
  'persona-chat',
  'synthetic-persona-chat',
  'casino',
  'persuasion-for-good',
  'ieval',
  'blender-chatlog',
  'counsel-chat',
];

const cache = fileURLToPath(new URL('.cache/', import.meta.url));
const file = `${cache}race.jsonl`;
if (!values.reuse) await record();
const all = await readRecordings(file);
const meanTokens = (one: Recording) =>
  one.candidates.reduce((sum, { tokens }) => sum + tokens, 0) / one.candidates.length;
const long = all.filter((one) => meanTokens(one) >= tokensMin);

const points = plans().map(({ name, plan }) => ({
  name,
  long: rounded(evaluate(long, plan)),
  all: rounded(evaluate(all, plan)),
}));
const describe = (recordings: readonly Recording[]) => ({
  contexts: recordings.length,
  meanTokens: Math.round(recordings.reduce((sum, one) => sum + meanTokens(one), 0) / recordings.length),
});
const shown = describeShown(all, level1);
const result = { ...describeMachine(), long: describe(long), all: describe(all), points, shown };
writeFileSync(new URL('results/race.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(new URL('results/race.svg', import.meta.url), renderRaceChart(points));
if (values.page !== undefined)
  writeFileSync(values.page, renderCandidatesPage(all.slice(0, 20), level1, 'npm run bench -- race'));
if (values.pairs !== undefined) {
  const { pairs, raced } = makePairs(all, level1, { count: 40, seed: Number(values.seed) });
  writeFileSync(values.pairs, JSON.stringify(pairs, null, 2));
  writeFileSync(`${values.pairs}.key`, JSON.stringify(raced));
}
console.log(`${long.length} of ${all.length} contexts have ${tokensMin} tokens on average`);
console.table(shown);
for (const subset of ['long', 'all'] as const) {
  console.log(subset);
  console.table(points.map((point) => ({ name: point.name, ...point[subset] })));
}

async function record(): Promise<void> {
  if (values.dialogs === undefined) throw new Error('--dialogs DIR is needed, or --reuse');
  mkdirSync(cache, { recursive: true });
  const seed = Number(values.seed);
  const contexts = await sampleContexts(values.dialogs, { count: Number(values.prompts), seed, sources });
  const modelDirectory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
  await recordAll(contexts, { modelDirectory, candidates, seed, threads: Number(values.threads), file });
}

/** Commit points, each with schedules that drop nobody, half, or more before it; and the plan of the default settings. */
function plans(): { name: string; plan: RacePlan }[] {
  const commits = [4, 8, 12, 14, 16, 20, 24, 28, 32, 40, 48, 52, 64];
  const at = (share: number, commit: number) => Math.max(1, Math.round(share * commit));
  const schedules = (commit: number) => [
    { name: 'none', checkpoints: [] },
    { name: 'half', checkpoints: [{ tokens: at(1 / 2, commit), keep: 5 }] },
    {
      name: '6, 3',
      checkpoints: [
        { tokens: at(1 / 3, commit), keep: 6 },
        { tokens: at(2 / 3, commit), keep: 3 },
      ],
    },
    {
      name: '7, 4, 2, early',
      checkpoints: [
        { tokens: at(0.2, commit), keep: 7 },
        { tokens: at(0.3, commit), keep: 4 },
        { tokens: at(0.6, commit), keep: 2 },
      ].filter(({ tokens }, place, all) => all[place - 1]?.tokens !== tokens),
    },
  ];
  const grid = commits.flatMap((commitTokens) =>
    schedules(commitTokens).map(({ name, checkpoints }) => ({
      name: `commit ${commitTokens}, drop ${name}`,
      plan: { ...level1, commitTokens, checkpoints },
    })),
  );
  return [
    { name: 'default', plan: level1 },
    ...grid,
    { name: 'rank at the end', plan: racePlanOf(0, raceSettings) },
    { name: 'first candidate', plan: { ...level1, checkpoints: [{ tokens: 1, keep: 1 }], commitTokens: 1 } },
  ];
}

function rounded(evaluation: Evaluation): Evaluation {
  const entries = Object.entries(evaluation).map(([name, value]) => [name, Math.round(value * 1000) / 1000]);
  return Object.fromEntries(entries) as Evaluation;
}
