import type { PromptSegment } from './prompt-segment.ts';

export interface PromptTurn {
  readonly role: 'system' | 'user' | 'companion';
  readonly text: string;
}

/** Turns a dialog into a prompt that ends where the companion's next text begins. */
export interface PromptTemplate {
  /** Name and version as stored with each generation, such as `chat@1`. */
  readonly id: string;
  /** Texts that end a reply because they begin somebody else's turn. */
  readonly stop: readonly string[];
  /** What the turns say comes back in `text` segments, character for character; all else in `template` ones. */
  render(turns: readonly PromptTurn[]): readonly PromptSegment[];
}

/** Exact token counts for a model. Segments are encoded one by one, so counts add up. */
export interface TokenCounter {
  countTokens(segments: readonly PromptSegment[]): number;
}
