/** node-llama-cpp as its documentation has it for several users: a context with a sequence for each candidate, batched by itself. */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { serve } from './serve.js';

const [modelPath, threads] = process.argv.slice(2);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  logLevel: LlamaLogLevel.error,
  maxThreads: Number(threads),
});
const model = await llama.loadModel({ modelPath });
let open = null;

serve(async ({ prompt, candidates, replyTokens }) => {
  const sequences = await sequencesFor(candidates, prompt.length + replyTokens);
  const startedAt = performance.now();
  let promptsReadAt = startedAt;
  await Promise.all(
    sequences.map(async (sequence) => {
      let count = 0;
      const tokens = sequence.evaluate(prompt, { temperature: 0.8, topK: 40, yieldEogToken: true });
      for await (const _ of tokens) {
        count += 1;
        if (count === 1) promptsReadAt = Math.max(promptsReadAt, performance.now());
        if (count >= replyTokens) break;
      }
    }),
  );
  const endedAt = performance.now();
  return { totalMs: endedAt - startedAt, decodeMs: endedAt - promptsReadAt };
});

/** The context is kept while the number of sequences stays; making one is not part of a request. */
async function sequencesFor(count, length) {
  if (open?.sequences.length !== count) {
    await open?.context.dispose();
    const context = await model.createContext({
      sequences: count,
      contextSize: (length + 32) * count,
      batchSize: Math.max(512, count * 16),
      threads: Number(threads),
      flashAttention: true,
    });
    open = { context, sequences: Array.from({ length: count }, () => context.getSequence()) };
  }
  for (const sequence of open.sequences) await sequence.clearHistory();
  return open.sequences;
}
