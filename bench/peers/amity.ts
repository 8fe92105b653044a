/** Our engine, as a worker of the server runs it, without the server. */
import { Engine } from '../../src/engine/engine.ts';
import { openModel } from '../../src/onnx/open-model.ts';
import { openRunner } from '../../src/onnx/open-runner.ts';
import { runCrowd } from '../ladder/with-engine.ts';
import { serve } from './serve.js';

const [directory = '', threads = '2'] = process.argv.slice(2);
const { manifest, tokenizer } = await openModel(directory);
const runner = await openRunner({ directory, manifest, threads: Number(threads), slots: 20, positions: 256 });
await runner.warmUp();

// Nothing ends a reply early: all engines write the same number of tokens.
const model = { runner, vocabulary: { ...tokenizer.vocabulary, isEnd: () => false } };
const sampling = { temperature: 0.8, topK: 40, topP: 1, repetitionPenalty: 1, seed: 1 };

serve(async ({ prompt, candidates, replyTokens, isRace = false }) => {
  if (isRace) {
    const work = { prompt: Int32Array.from(prompt), candidates, replyTokens, sampling };
    return { totalMs: (await runCrowd(model, work, { requests: 1, choice: 'race' })).ms, decodeMs: null };
  }
  const engine = new Engine(model, { queueMax: 1, prefillTokensMax: 128, chunkTokens: 64 });
  const startedAt = performance.now();
  let promptReadAt = Number.NaN;
  engine.submit({
    id: 'request',
    prompt: Int32Array.from(prompt),
    selection: { kind: 'all', candidates },
    tokensMax: replyTokens,
    stop: [],
    sampling,
  });
  while (!engine.idle) {
    await engine.step();
    if (Number.isNaN(promptReadAt) && engine.snapshot().rowsDecoding > 0) promptReadAt = performance.now();
  }
  const endedAt = performance.now();
  return { totalMs: endedAt - startedAt, decodeMs: endedAt - promptReadAt };
});
