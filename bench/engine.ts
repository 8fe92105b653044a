/**
 * One request of 1, 10 and 20 candidates on our engine, on transformers.js and on node-llama-cpp: same weights, same width of 8 bits, same
 * prompt, same number of tokens, in turn.
 *
 *     npm run bench -- engine [--rounds 9] [--threads 2] [--from <folder or .gguf>] [--last-logits] [--json]
 *
 * Each engine has a process of its own and is left alone while it works; after each request all rest for half a second, so that nobody's
 * garbage is collected in somebody else's time. The prompt has 100 tokens, each reply 40. The first run of each kind is not counted.
 * transformers.js gets the graph as exporters wrote it when the default model was exported; with --last-logits as newer ones do, which
 * spare a prompt its logits: the result then goes to engine-last-logits.json. The peers are installed into bench/peers when they are missing (1.2 GB).
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findCheckpoint } from './checkpoint.ts';
import { describeMachine, median } from './machine.ts';
import { meaninglessPrompt } from './meaningless.ts';
import { writeGguf } from './peers/gguf-file.ts';
import { emptyCache, makeOwnModel, writeTransformersFolder } from './peers/models.ts';
import { renderBars } from './plot-bars.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '2' },
    from: { type: 'string' },
    'last-logits': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const candidateCounts = [1, 10, 20] as const;
const promptTokens = 100;
const replyTokens = 40;
const restMs = 500;
const engines = ['amity', 'transformers-js', 'node-llama-cpp'] as const;
type EngineName = (typeof engines)[number];

interface Answer {
  readonly totalMs: number;
  /** After the last sequence's first token; null where the engine does not tell. */
  readonly decodeMs: number | null;
}

const say = (text: string) => process.stderr.write(`${text}\n`);
installPeers();
const models = await makeModels();
const processes = new Map<EngineName, ChildProcess>();
for (const engine of engines) processes.set(engine, await start(engine));
const answers = await measure();
const tenAgainstOne = await measureTenAgainstOne();
for (const child of processes.values()) child.send('stop');

const result = {
  ...describeMachine(),
  threads: Number(values.threads),
  rounds: Number(values.rounds),
  promptTokens,
  replyTokens,
  rows: candidateCounts.map((candidates) => summarize(candidates)),
  tenAgainstOne,
};
const name = values['last-logits'] ? 'engine-last-logits' : 'engine';
writeFileSync(new URL(`./results/${name}.json`, import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(
  new URL(`./results/${name}.svg`, import.meta.url),
  renderBars({
    title: 'Tokens per second, end to end (prompt 100, reply 40)',
    groups: candidateCounts.map((candidates) => ({
      name: candidates === 1 ? '1 candidate' : `${candidates} candidates`,
      bars: engines.map((engine) => ({ name: engine, value: tokensPerSecond(engine, candidates) })),
    })),
  }),
);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(result.rows);
  const { written, racing } = tenAgainstOne;
  console.log(`10 candidates take ${written} times as long as one, and ${racing} times when they race`);
}

function installPeers(): void {
  const directory = fileURLToPath(new URL('peers', import.meta.url));
  if (existsSync(join(directory, 'node_modules', 'node-llama-cpp'))) return;
  say('Installing transformers.js and node-llama-cpp into bench/peers (1.2 GB)');
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // Not `ci`: npm 11 refuses a lock without the packages of other platforms, and npm leaves them out where they cannot be had.
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function makeModels(): Promise<Readonly<Record<EngineName, string>>> {
  say('Converting the checkpoint for each engine');
  const parent = await emptyCache('engine');
  const fetched = await findCheckpoint(values.from);
  const own = await makeOwnModel(fetched, { parent, weights: 'nb8' });
  await using checkpoint = await fetched.open();
  const [folder, gguf] = [join(parent, 'transformers-js'), join(parent, 'model.gguf')];
  await writeTransformersFolder(checkpoint, folder, { lastLogits: values['last-logits'] });
  await writeGguf(checkpoint, gguf);
  return { amity: own.directory, 'transformers-js': folder, 'node-llama-cpp': gguf };
}

async function start(engine: EngineName): Promise<ChildProcess> {
  const file = engine === 'amity' ? 'amity.ts' : `${engine}.js`;
  const path = fileURLToPath(new URL(`peers/${file}`, import.meta.url));
  const child = fork(path, [models[engine], values.threads]);
  await once(child, 'message');
  return child;
}

async function measure() {
  const answers = new Map<string, Answer[]>();
  for (const candidates of candidateCounts) {
    for (let round = 0; round <= Number(values.rounds); round++) {
      const prompt = [...meaninglessPrompt(promptTokens, round)];
      for (const engine of engines) {
        await pause(restMs);
        const answer = await ask(engine, { prompt, candidates, replyTokens });
        const key = `${engine} ${candidates}`;
        if (round > 0) answers.set(key, [...(answers.get(key) ?? []), answer]);
      }
    }
    say(`${candidates} candidates: done`);
  }
  return answers;
}

/** Our own times of ten candidates by that of one, taken in turn: all written to their end, and raced as the server does. */
async function measureTenAgainstOne() {
  const ratios: { written: number; racing: number }[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const prompt = [...meaninglessPrompt(promptTokens, round)];
    const timed = async (request: object) => {
      await pause(restMs);
      return (await ask('amity', { prompt, replyTokens, ...request })).totalMs;
    };
    const one = await timed({ candidates: 1 });
    const written = (await timed({ candidates: 10 })) / one;
    const racing = (await timed({ candidates: 10, isRace: true })) / one;
    if (round > 0) ratios.push({ written, racing });
  }
  const medianOf = (name: 'written' | 'racing') =>
    Math.round(100 * median(ratios.map((one) => one[name]))) / 100;
  return { written: medianOf('written'), racing: medianOf('racing') };
}

async function ask(engine: EngineName, request: object): Promise<Answer> {
  const child = processes.get(engine);
  if (child === undefined) throw new Error(`${engine} does not run`);
  child.send(request);
  const [answer] = (await once(child, 'message')) as [Answer | { error: string }];
  if ('error' in answer) throw new Error(`${engine}: ${answer.error}`);
  return answer;
}

function summarize(candidates: number) {
  const decode = (engine: EngineName) => (round: number) =>
    at(engine, candidates, round).decodeMs ?? Number.NaN;
  const total = (engine: EngineName) => (round: number) => at(engine, candidates, round).totalMs;
  return {
    candidates,
    ...Object.fromEntries(
      engines.map((engine) => [`${engine} tokens/s`, tokensPerSecond(engine, candidates)]),
    ),
    'against transformers.js': ratio((round) => [total('transformers-js')(round), total('amity')(round)]),
    'against node-llama-cpp': ratio((round) => [total('node-llama-cpp')(round), total('amity')(round)]),
    'decode against node-llama-cpp': ratio((round) => [
      decode('node-llama-cpp')(round),
      decode('amity')(round),
    ]),
  };
}

function at(engine: EngineName, candidates: number, round: number): Answer {
  const answer = answers.get(`${engine} ${candidates}`)?.[round];
  if (answer === undefined)
    throw new Error(`${engine} gave no answer ${round} with ${candidates} candidates`);
  return answer;
}

function tokensPerSecond(engine: EngineName, candidates: number): number {
  const times = roundNumbers().map((round) => at(engine, candidates, round).totalMs);
  return Math.round((1000 * candidates * replyTokens) / median(times));
}

/** Median over the rounds of one time by another, taken within the round: a noisy moment of the machine hits both. */
function ratio(of: (round: number) => [number, number]): number {
  return Math.round(100 * median(roundNumbers().map((round) => of(round)[0] / of(round)[1]))) / 100;
}

function roundNumbers(): number[] {
  return Array.from({ length: Number(values.rounds) }, (_, round) => round);
}
