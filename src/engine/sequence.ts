import { Detokenizer } from './detokenizer.ts';
import type { Vocabulary } from './model-runner.ts';
import type {
  Candidate,
  CandidateEnd,
  Contender,
  EngineRequest,
  SamplingParams,
  Verdict,
} from './request.ts';
import type { SampledSequence } from './sampler.ts';
import { ReplyText } from './stopping.ts';

/** How a sequence ended; `failed` ones are no candidates. */
export type SequenceEnd = CandidateEnd | 'failed';

/**
 * One completion of a request. It is counted, not tracked: prompt and generated tokens are what there is,
 * `cached` says how many of the latter its slot holds, and everything else follows.
 */
export class Sequence implements SampledSequence {
  readonly request: EngineRequest;
  readonly index: number;
  /** Kept by `KvSlots` alone; null outside the cache. */
  slot: number | null = null;
  end: SequenceEnd | null = null;
  readonly written = new Set<number>();

  readonly #tokens: Int32Array;
  readonly #detokenizer = new Detokenizer();
  readonly #reply: ReplyText;
  #cached = 0;
  #generated = 0;
  #logProb = 0;
  #textTaken: number;

  constructor(request: EngineRequest, index: number) {
    this.request = request;
    this.index = index;
    this.#tokens = new Int32Array(request.tokensMax);
    this.#reply = new ReplyText(request.stop, request.written);
    this.#textTaken = this.#reply.text.length;
  }

  get sampling(): SamplingParams {
    return this.request.sampling;
  }

  /** Tokens of the reply that are in its slot and count. */
  get cached(): number {
    return this.#cached;
  }

  get generated(): number {
    return this.#generated;
  }

  /** The token that the model has not seen yet. Only between the first draw and the end. */
  get lastToken(): number {
    return this.#tokens[this.#generated - 1]!;
  }

  /** Its last token is in its slot. */
  advance(): void {
    this.#cached++;
  }

  /** Takes over a drawn token, and ends the sequence where it was the last. */
  accept(token: number, logProb: number, vocabulary: Vocabulary): void {
    this.#tokens[this.#generated] = token;
    this.#generated++;
    this.#logProb += logProb;
    this.written.add(token);
    if (vocabulary.isEnd(token)) {
      this.#finish('stop');
      return;
    }
    this.#reply.push(this.#detokenizer.push(vocabulary.tokenBytes(token)));
    if (this.#reply.isStopped) this.end = 'stop';
    else if (this.#isLongEnough()) this.#finish('length');
  }

  #isLongEnough(): boolean {
    const { tokensMax, tokensSoftMax = tokensMax } = this.request;
    if (this.#generated >= tokensMax) return true;
    return this.#generated >= tokensSoftMax && this.#reply.endsSentence;
  }

  /** Ends here. Held-back text stays hidden: nothing is to appear after somebody asked for silence. */
  cancel(): void {
    this.end ??= 'cancelled';
  }

  /** Ends here because others go on. */
  drop(): void {
    this.end ??= 'dropped';
  }

  fail(): void {
    this.end = 'failed';
  }

  /** Text that may be shown and was not taken yet. */
  takeText(): string {
    const text = this.#reply.text.slice(this.#textTaken);
    this.#textTaken += text.length;
    return text;
  }

  /** Whether it came to its own end. */
  get isComplete(): boolean {
    return this.end === 'stop' || this.end === 'length';
  }

  toContender(): Contender {
    return {
      index: this.index,
      text: this.#reply.text,
      tokens: this.#generated,
      logProb: this.#logProb,
      isEnded: this.isComplete,
    };
  }

  /** As it stands; one that still writes counts as dropped. Not for failed ones. */
  toCandidate(verdict: Verdict | null): Candidate {
    assert(this.end !== 'failed', 'a failed sequence is no candidate');
    return {
      index: this.index,
      text: this.#reply.text,
      tokens: this.#generated,
      finishReason: this.end ?? 'dropped',
      logProb: this.#logProb,
      verdict,
    };
  }

  #finish(reason: CandidateEnd): void {
    this.#reply.end();
    this.end = reason;
  }
}

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Sequence: ${message}`);
}
