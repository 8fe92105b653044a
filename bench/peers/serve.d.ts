export interface PeerRequest {
  readonly prompt: readonly number[];
  readonly candidates: number;
  readonly replyTokens: number;
  /** Ours alone: candidates race, and the best is written to its end. */
  readonly isRace?: boolean;
}

export interface PeerAnswer {
  readonly totalMs: number;
  /** After the last sequence's first token; null where the engine does not tell. */
  readonly decodeMs: number | null;
}

export function serve(generate: (request: PeerRequest) => Promise<PeerAnswer>): void;
