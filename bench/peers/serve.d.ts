export interface PeerRequest {
  readonly prompt: readonly number[];
  readonly candidates: number;
  readonly replyTokens: number;
}

export interface PeerAnswer {
  readonly totalMs: number;
  /** After the last sequence's first token; null where the engine does not tell. */
  readonly decodeMs: number | null;
}

export function serve(generate: (request: PeerRequest) => Promise<PeerAnswer>): void;
