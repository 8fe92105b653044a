/**
 * The turns of a long conversation, with and without the cache of prompts: how long the model reads before it writes the first token, on
 * the engine and the default model, in one process and in turn.
 *
 *     npm run bench -- prefix [--turns 24] [--rounds 3] [--json]
 *
 * Each turn sends what the server would send (persona, chat template, the newest messages that fit into 512 tokens) and writes a reply
 * of 24 tokens with one candidate. The user's lines are those of bench/people.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Message } from '../src/conversation/message.ts';
import { defaultPersona } from '../src/conversation/persona.ts';
import { buildPrompt, type PromptSetup } from '../src/conversation/prompt.ts';
import { transcriptTemplate } from '../src/conversation/transcript-template.ts';
import { Engine } from '../src/engine/engine.ts';
import { openModel } from '../src/onnx/open-model.ts';
import { openRunner } from '../src/onnx/open-runner.ts';
import { aMessage } from '../test/support/builders.ts';
import { describeMachine, median } from './machine.ts';
import { openings } from './people/openings.ts';
import { renderChart } from './plot.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const budgetTokens = 512;
const replyTokens = 24;
const chunkTokens = 64;

const directory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
const { manifest, tokenizer, chatTemplate } = await openModel(directory);
const setup: PromptSetup = {
  persona: defaultPersona,
  template: chatTemplate ?? transcriptTemplate,
  counter: tokenizer,
  model: manifest.name,
  budgetTokens,
};

interface Turn {
  readonly promptTokens: number;
  readonly firstTokenMs: number;
  readonly reusedTokens: number;
}

const open = (blocks: number) =>
  openRunner({
    directory,
    manifest,
    threads: Number(values.threads),
    slots: 1,
    positions: budgetTokens + replyTokens,
    kept: { blocks, tokens: chunkTokens },
  });
await using cold = await open(0);
await using warm = await open(64);
for (const runner of [cold, warm]) await runner.warmUp();

const without: Turn[][] = [];
const withCache: Turn[][] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  without.push(await talk(cold, round));
  withCache.push(await talk(warm, round));
}

const turns = (without[0] ?? []).map((turn, index) => ({
  turn: index + 1,
  promptTokens: turn.promptTokens,
  reusedTokens: withCache[0]?.[index]?.reusedTokens ?? 0,
  withoutMs: Math.round(median(without.map((round) => round[index]?.firstTokenMs ?? Number.NaN))),
  withMs: Math.round(median(withCache.map((round) => round[index]?.firstTokenMs ?? Number.NaN))),
}));
const sum = (of: (turn: (typeof turns)[number]) => number) =>
  turns.reduce((total, turn) => total + of(turn), 0);
const result = {
  ...describeMachine(),
  model: manifest.name,
  turns,
  promptTokens: sum((turn) => turn.promptTokens),
  reusedPercent: Math.round((100 * sum((turn) => turn.reusedTokens)) / sum((turn) => turn.promptTokens)),
  timesFaster: Math.round((100 * sum((turn) => turn.withoutMs)) / sum((turn) => turn.withMs)) / 100,
};
writeFileSync(new URL('./results/prefix.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(
  new URL('./results/prefix.svg', import.meta.url),
  renderChart({
    title: 'Until the first token of each turn',
    panels: [
      {
        x: { label: 'turn' },
        y: { label: 'ms', from: 0 },
        series: [
          {
            name: 'without the cache',
            kind: 'line',
            points: turns.map(({ turn, withoutMs }) => [turn, withoutMs]),
          },
          { name: 'with the cache', kind: 'line', points: turns.map(({ turn, withMs }) => [turn, withMs]) },
        ],
      },
    ],
  }),
);
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(turns);
  console.log(
    `${result.reusedPercent} % of the prompt tokens were found again; ${result.timesFaster} times faster in all`,
  );
}

/** One conversation from its beginning; both engines write the same, which is checked by the prompts that follow. */
async function talk(runner: Awaited<ReturnType<typeof open>>, round: number): Promise<Turn[]> {
  const limits = { queueMax: 1, prefillTokensMax: 128, chunkTokens };
  const engine = new Engine({ runner, vocabulary: tokenizer.vocabulary }, limits);
  const branch: Message[] = [];
  const done: Turn[] = [];
  const say = (role: Message['role'], text: string) =>
    branch.push(aMessage({ role, text, seq: branch.length + 1 }));
  for (let turn = 0; turn < Number(values.turns); turn++) {
    say('user', openings[(turn + round) % openings.length] ?? 'Go on.');
    const prompt = tokenizer.encode(buildPrompt(setup, branch).segments);
    const before = engine.totals.promptTokensReused;
    const startedAt = performance.now();
    let firstTokenMs: number | null = null;
    let text = '';
    engine.submit({
      id: 'r',
      prompt,
      selection: { kind: 'all', candidates: 1 },
      tokensMax: replyTokens,
      stop: [...setup.template.stop],
      sampling: { temperature: 0.8, topK: 40, topP: 0.95, repetitionPenalty: 1.1, seed: turn },
      reuse: { scope: `round ${round}`, publicTokens: 0 },
    });
    while (!engine.idle) {
      for (const event of await engine.step()) if (event.kind === 'text') text += event.text;
      const isRead = engine.snapshot().rowsDecoding > 0 || engine.idle;
      if (isRead) firstTokenMs ??= performance.now() - startedAt;
    }
    say('companion', text);
    done.push({
      promptTokens: prompt.length,
      firstTokenMs: firstTokenMs ?? Number.NaN,
      reusedTokens: engine.totals.promptTokensReused - before,
    });
  }
  return done;
}
