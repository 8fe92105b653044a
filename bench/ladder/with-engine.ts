/** The upper rungs: the engine as a worker runs it, with one request or a crowd of them. */
import { type LoadState, nextLoadState, racePlanOf } from '../../src/conversation/load-level.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { ModelRunner, Vocabulary } from '../../src/engine/model-runner.ts';
import type { Selection } from '../../src/engine/request.ts';
import { QueueAge } from '../../src/pool/queue-age.ts';
import { createJudge } from '../../src/ranking/judge.ts';
import type { Work } from './in-turn.ts';

/** How the candidates of a request are chosen from. */
export type Choice = 'all' | 'race' | 'adaptive race';

export interface Crowd {
  /** Until the last reply has ended. */
  readonly ms: number;
  readonly replies: number;
  /** Candidates that were started, of all replies together. */
  readonly candidates: number;
}

/** As in the default settings. */
const raceSettings = { quality: 'live', commitTokens: 28, exploration: 0.05 } as const;

/** Requests that come at the same moment; the prompts differ. */
export async function runCrowd(
  model: { runner: ModelRunner; vocabulary: Vocabulary },
  work: Work,
  { requests, choice }: { readonly requests: number; readonly choice: Choice },
): Promise<Crowd> {
  const engine = new Engine(model, { queueMax: requests, prefillTokensMax: 128, chunkTokens: 64 });
  const load = createLoad(requests);
  const plan = () =>
    racePlanOf(choice === 'race' ? 1 : load.level(), { ...raceSettings, candidates: work.candidates });
  const judge = createJudge({ userTurn: '', ownTurns: [] });
  const selection: Selection =
    choice === 'all' ? { kind: 'all', candidates: work.candidates } : { kind: 'race', plan, judge };
  const startedAt = performance.now();
  for (let index = 0; index < requests; index++) {
    const prompt = work.prompt.map((id) => id + index);
    const { sampling, replyTokens: tokensMax } = work;
    engine.submit({ id: String(index), prompt, selection, tokensMax, stop: [], sampling });
  }
  let ended = 0;
  let candidates = 0;
  let endedAt = startedAt;
  while (!engine.idle) {
    for (const event of await engine.step()) {
      if (event.kind === 'started') {
        candidates += event.candidates;
        load.started();
      } else if (event.kind === 'finished') {
        ended += 1;
        endedAt = performance.now();
      } else if (event.kind === 'failed') throw new Error(event.message);
    }
  }
  return { ms: endedAt - startedAt, replies: ended, candidates };
}

/** The load level of the pool: see src/pool/generation-pool.ts. */
function createLoad(requests: number) {
  const since = performance.now();
  const age = new QueueAge();
  let waiting = requests;
  let state: LoadState = { level: 1, calmSince: null };
  const update = () => {
    const now = performance.now();
    const queueAgeMs = age.at(now, new Array<number>(waiting).fill(since));
    state = nextLoadState(state, { queueAgeMs, base: 1, now });
  };
  return {
    level() {
      update();
      return state.level;
    },
    started() {
      waiting -= 1;
      age.started(performance.now(), waiting > 0);
      update();
    },
  };
}
