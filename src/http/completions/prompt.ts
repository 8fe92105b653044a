/** The prompt of a completion: the messages as they are, in the model's template, if they fit. */
import type { PromptSegment } from '../../conversation/prompt-segment.ts';
import type { PromptTemplate, PromptTurn, TokenCounter } from '../../conversation/prompt-template.ts';
import { type Checked, invalidRequest, type Refusal } from './refusal.ts';

export interface PromptLimits {
  /** Tokens of prompt and completion together. */
  readonly positionsMax: number;
  /** Tokens of a completion whose request names no number. */
  readonly replyTokensMax: number;
}

export interface CompletionPrompt {
  readonly segments: readonly PromptSegment[];
  readonly tokensMax: number;
}

/** Characters that are counted at a time, where a text is so long that counting all of it would hold everybody up. */
const pieceCharacters = 2_000;
/** The cuts between pieces add tokens, but far fewer than they have. */
const cutSlack = 2;

/** @param tokensMax what the request asked for, or null */
export function toPrompt(
  parts: { readonly template: PromptTemplate; readonly counter: TokenCounter; readonly limits: PromptLimits },
  turns: readonly PromptTurn[],
  tokensMax: number | null,
): Checked<CompletionPrompt> {
  const { positionsMax, replyTokensMax } = parts.limits;
  if (isSurelyTooLong(parts.counter, turns, positionsMax)) {
    return { ok: false, refusal: tooLong(`more than ${positionsMax}`, tokensMax, positionsMax) };
  }
  const segments = parts.template.render(turns);
  const promptTokens = parts.counter.countTokens(segments);
  const room = positionsMax - promptTokens;
  if (room < (tokensMax ?? 1)) {
    return { ok: false, refusal: tooLong(String(promptTokens), tokensMax, positionsMax) };
  }
  return { ok: true, value: { segments, tokensMax: tokensMax ?? Math.min(replyTokensMax, room) } };
}

/** Found out piece by piece, so that a body of any size costs no more than a prompt that fits. */
function isSurelyTooLong(counter: TokenCounter, turns: readonly PromptTurn[], positionsMax: number): boolean {
  // No template opens a turn with less than a token.
  if (turns.length > positionsMax) return true;
  let tokens = 0;
  for (const { text } of turns) {
    for (let begin = 0; begin < text.length; begin += pieceCharacters) {
      tokens += counter.countTokens([{ kind: 'text', text: text.slice(begin, begin + pieceCharacters) }]);
      if (tokens > cutSlack * positionsMax) return true;
    }
  }
  return false;
}

function tooLong(promptTokens: string, tokensMax: number | null, positionsMax: number): Refusal {
  const asked = tokensMax === null ? '' : ` and max_tokens is ${tokensMax}`;
  const sentence = `The context of this model is ${positionsMax} tokens, but the messages have ${promptTokens}${asked}.`;
  return invalidRequest(sentence, { param: 'messages', code: 'context_length_exceeded' });
}
