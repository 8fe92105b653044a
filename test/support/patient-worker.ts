/** A generation worker without a model: it writes one text and then waits until it is told to stop. */
import { once } from 'node:events';
import { parentPort, threadId } from 'node:worker_threads';
import type { GenerationEvent } from '../../src/conversation/generator.ts';
import type { GenerateTask, WorkerReport, WorkerToMain } from '../../src/pool/messages.ts';

parentPort?.postMessage({ type: 'ready', threadId, notes: [] } satisfies WorkerReport);

export default async function wait({ port }: GenerateTask): Promise<void> {
  const post = (event: GenerationEvent) => {
    port.postMessage({ type: 'event', event } satisfies WorkerToMain);
  };
  post({ kind: 'started', promptTokens: 1, candidates: 1, level: 1 });
  post({ kind: 'text', index: 0, text: 'a' });
  await once(port, 'message');
  const end = {
    index: 0,
    text: 'a',
    tokens: 1,
    finishReason: 'cancelled',
    logProb: 0,
    verdict: null,
  } as const;
  post({ kind: 'finished', shown: 0, candidates: [end], race: null, hasMore: false });
  port.close();
}
