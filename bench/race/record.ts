/** Ten whole candidates for each context, with the state of each after every token: any race can be run on them afterwards. */
import { createReadStream } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { RankContext } from '../../src/conversation/generator.ts';
import { defaultPersona } from '../../src/conversation/persona.ts';
import { buildPrompt } from '../../src/conversation/prompt.ts';
import { transcriptTemplate } from '../../src/conversation/transcript-template.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { CandidateEnd, Contender, RacePlan } from '../../src/engine/request.ts';
import { openModel } from '../../src/onnx/open-model.ts';
import { openRunner } from '../../src/onnx/open-runner.ts';
import { type Context, toMessages } from './prompts.ts';

export interface RecordedCandidate {
  readonly index: number;
  readonly text: string;
  readonly tokens: number;
  readonly finishReason: CandidateEnd;
  readonly logProb: number;
  /** Entry t: characters that may be shown, and the sum of log-probabilities, after t + 1 tokens. */
  readonly steps: readonly (readonly [shown: number, logProb: number])[];
}

export interface Recording {
  readonly context: Context;
  readonly rank: RankContext;
  readonly promptTokens: number;
  readonly candidates: readonly RecordedCandidate[];
}

export interface RecordOptions {
  readonly modelDirectory: string;
  readonly candidates: number;
  readonly seed: number;
  readonly threads: number;
  readonly file: string;
}

/** As in the default settings. */
const sampling = { temperature: 0.7, topK: 40, topP: 0.9, repetitionPenalty: 1.1 };
const tokensMax = 100;
const tokensSoftMax = 60;
const promptTokensMax = 512;

/** Appends a line for each context to `file`; two contexts run at once, to fill the batch. */
export async function recordAll(contexts: readonly Context[], options: RecordOptions): Promise<void> {
  const { manifest, tokenizer, chatTemplate } = await openModel(options.modelDirectory);
  const template = chatTemplate ?? transcriptTemplate;
  const setup = {
    persona: defaultPersona,
    template,
    counter: tokenizer,
    model: manifest.name,
    budgetTokens: promptTokensMax,
  };
  await using runner = await openRunner({
    directory: options.modelDirectory,
    manifest,
    threads: options.threads,
    slots: 2 * options.candidates,
    positions: promptTokensMax + tokensMax,
  });
  const engine = new Engine(
    { runner, vocabulary: tokenizer.vocabulary },
    { queueMax: contexts.length, prefillTokensMax: 128, chunkTokens: 64 },
  );
  await rm(options.file, { force: true });
  const open = new Map<string, Omit<Recording, 'candidates'> & { readonly steps: Steps }>();
  contexts.forEach((context, place) => {
    const prompt = buildPrompt(setup, toMessages(context));
    const encoded = tokenizer.encode(prompt.segments);
    const steps: Steps = new Map();
    const id = String(place);
    open.set(id, { context, rank: prompt.context, promptTokens: encoded.length, steps });
    engine.submit({
      id,
      prompt: encoded,
      selection: {
        kind: 'race',
        plan: () => everyTokenJudged(options.candidates),
        judge: createRecorder(steps),
      },
      tokensMax,
      tokensSoftMax,
      stop: template.stop,
      sampling: { ...sampling, seed: options.seed + place },
    });
  });
  while (!engine.idle) {
    for (const event of await engine.step()) {
      if (event.kind === 'failed') throw new Error(event.message);
      if (event.kind !== 'finished') continue;
      const { steps, ...recording } = open.get(event.id)!;
      open.delete(event.id);
      const candidates = event.candidates.map(({ verdict: _, ...candidate }) => ({
        ...candidate,
        steps: steps.get(candidate.index)!.slice(0, candidate.tokens),
      }));
      await appendFile(options.file, `${JSON.stringify({ ...recording, candidates } satisfies Recording)}\n`);
      process.stderr.write(`\r${contexts.length - open.size} of ${contexts.length} contexts`);
    }
  }
  process.stderr.write('\n');
}

type Steps = Map<number, [number, number][]>;

/** Nobody is dropped, so that the race goes to the end of all. */
function everyTokenJudged(candidates: number): RacePlan {
  return {
    level: 0,
    candidates,
    checkpoints: Array.from({ length: tokensMax }, (_, tokens) => ({ tokens: tokens + 1, keep: candidates })),
    commitTokens: null,
    leadToCommit: Number.POSITIVE_INFINITY,
    exploration: { probability: 0, temperature: 1 },
    runnerUp: false,
  };
}

function createRecorder(steps: Steps) {
  return (contenders: readonly Contender[]) =>
    contenders.map(({ index, tokens, text, logProb }) => {
      const own = steps.get(index) ?? [];
      steps.set(index, own);
      own[tokens - 1] = [text.length, logProb];
      return { score: -index, features: {}, filterReason: null };
    });
}

export async function readRecordings(file: string): Promise<readonly Recording[]> {
  const recordings: Recording[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    // Written by `recordAll`.
    recordings.push(JSON.parse(line) as Recording);
  }
  return recordings;
}
