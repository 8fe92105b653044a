/** A generation pool over a tiny model, and what is asked of it. */
import type { GenerationEvent, GenerationRequest } from '../../src/conversation/generator.ts';
import {
  type GenerationPool,
  type GenerationPoolOptions,
  startGenerationPool,
} from '../../src/pool/generation-pool.ts';

export interface TinyPoolOptions
  extends Partial<Pick<GenerationPoolOptions, 'host' | 'workers' | 'workerFile' | 'onProcess'>> {
  readonly rowsMax?: number;
  readonly queueMax?: number;
  readonly provider?: GenerationPoolOptions['worker']['provider'];
}

export function startTinyPool(
  modelDirectory: string,
  {
    host = 'thread',
    workers = 1,
    rowsMax = 20,
    queueMax = 8,
    provider = 'cpu',
    ...rest
  }: TinyPoolOptions = {},
): GenerationPool {
  const race = { quality: 'live', candidates: 10, commitTokens: 14, exploration: 0 } as const;
  const reserved = { prompt: 0, reply: 0 };
  const size = { threads: 1, rowsMax, positionsMax: 600, reserved, queueMax, prefixCacheBytes: 4_000_000 };
  return startGenerationPool({
    modelName: 'tiny-counting',
    host,
    workers,
    queueMax,
    worker: { modelDirectory, ...size, provider, verifyChecksums: true, race },
    ...rest,
  });
}

/** One candidate, to its end. */
export function aRequest(
  generationId: string,
  overrides: Partial<GenerationRequest> = {},
): GenerationRequest {
  return {
    generationId,
    prompt: [{ kind: 'template', text: '<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n' }],
    written: '',
    selection: { kind: 'all', candidates: 1 },
    tokensMax: 40,
    stop: [],
    sampling: { temperature: 0.8, topK: 20, topP: 1, repetitionPenalty: 1, seed: 3 },
    ...overrides,
  };
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

export async function collect(events: AsyncIterable<GenerationEvent>): Promise<readonly GenerationEvent[]> {
  const all: GenerationEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export function textOf(events: readonly GenerationEvent[]): string {
  return events.map((event) => (event.kind === 'text' ? event.text : '')).join('');
}
