/** transformers.js as its documentation uses it: `generate` on a batch that holds the prompt once for each candidate. */
import { basename, dirname } from 'node:path';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { serve } from './serve.js';

const [directory, threads] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(directory);
const model = await AutoModelForCausalLM.from_pretrained(basename(directory), {
  dtype: 'q8',
  device: 'cpu',
  local_files_only: true,
  session_options: { intraOpNumThreads: Number(threads), logSeverityLevel: 3 },
});

serve(async ({ prompt, candidates, replyTokens }) => {
  const dims = [candidates, prompt.length];
  const ids = Array.from({ length: candidates }, () => prompt).flat();
  const startedAt = performance.now();
  const output = await model.generate({
    inputs: new Tensor('int64', BigInt64Array.from(ids, BigInt), dims),
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), dims),
    do_sample: true,
    temperature: 0.8,
    top_k: 40,
    max_new_tokens: replyTokens,
    min_new_tokens: replyTokens,
    eos_token_id: -1,
  });
  const totalMs = performance.now() - startedAt;
  const [rows, length] = output.dims;
  if (rows !== candidates || length !== prompt.length + replyTokens)
    throw new Error(`${rows} rows of ${length} tokens`);
  return { totalMs, decodeMs: null };
});
