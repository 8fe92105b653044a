/** Requests and loops for tests of the engine. */
import { Engine } from '../../src/engine/engine.ts';
import type { EngineEvent, EngineRequest, SamplingParams } from '../../src/engine/request.ts';
import { ScriptedRunner, scriptedVocabulary } from './scripted-runner.ts';

export const sampling: SamplingParams = {
  temperature: 0.9,
  topK: 12,
  topP: 0.95,
  repetitionPenalty: 1.1,
  seed: 1,
};

export function createRequest(overrides: Partial<EngineRequest> = {}): EngineRequest {
  return {
    id: 'r',
    prompt: Int32Array.of(3, 4, 5),
    candidates: 1,
    tokensMax: 12,
    stop: [],
    sampling,
    ...overrides,
  };
}

/** Steps until nothing is left to do. */
export async function drain(engine: Engine, stepsMax = 10_000): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  for (let steps = 0; !engine.idle; steps++) {
    if (steps === stepsMax) throw new Error(`the engine is busy after ${stepsMax} steps`);
    events.push(...(await engine.step()));
  }
  return events;
}

/** The events of a request that has an engine to itself. */
export async function runAlone(
  request: EngineRequest,
  prefillTokensMax = 16,
): Promise<readonly EngineEvent[]> {
  const positions = request.prompt.length + request.tokensMax;
  const runner = new ScriptedRunner({ slots: request.candidates, positions });
  const engine = new Engine({ runner, vocabulary: scriptedVocabulary }, { queueMax: 0, prefillTokensMax });
  engine.submit(request);
  return drain(engine);
}

/** The last event of each request, and the text that was streamed before it. */
export function outcomes(events: readonly EngineEvent[]): Map<string, { text: string; last: EngineEvent }> {
  const byId = new Map<string, { text: string; last: EngineEvent }>();
  for (const event of events) {
    const text = byId.get(event.id)?.text ?? '';
    byId.set(event.id, { text: event.kind === 'text' ? text + event.text : text, last: event });
  }
  return byId;
}
