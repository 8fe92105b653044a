/** The bodies of answers, as OpenAI's clients read them. */
import type { GenerationEvent } from '../../conversation/generator.ts';

type Finished = Extract<GenerationEvent, { readonly kind: 'finished' }>;

/** The same in all chunks of an answer. */
export interface Heading {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

/** What of a generation an answer is made of. */
export interface CompletionEnd {
  readonly promptTokens: number;
  readonly candidates: Finished['candidates'];
}

export type Choice = Finished['candidates'][number];

export function toCompletion(heading: Heading, end: CompletionEnd) {
  return {
    ...heading,
    object: 'chat.completion',
    choices: end.candidates.map((candidate) => ({
      index: candidate.index,
      message: { role: 'assistant', content: candidate.text, refusal: null },
      logprobs: null,
      finish_reason: toFinishReason(candidate),
    })),
    usage: toUsage(end),
  };
}

type Delta = { readonly role?: 'assistant'; readonly content?: string; readonly refusal?: null };

/** @param withUsage whether the stream's last chunk will hold the usage: all others then say that they do not */
export function createChunks(heading: Heading, withUsage: boolean) {
  const usage = withUsage ? { usage: null } : {};
  const chunk = (choices: readonly unknown[]) => ({
    ...heading,
    object: 'chat.completion.chunk',
    choices,
    ...usage,
  });
  const choice = (index: number, delta: Delta, finishReason: 'stop' | 'length' | null = null) => ({
    index,
    delta,
    logprobs: null,
    finish_reason: finishReason,
  });
  return {
    begin: (index: number) => chunk([choice(index, { role: 'assistant', content: '', refusal: null })]),
    text: (index: number, content: string) => chunk([choice(index, { content })]),
    end: (candidate: Choice) => chunk([choice(candidate.index, {}, toFinishReason(candidate))]),
    usage: (end: CompletionEnd) => ({ ...chunk([]), usage: toUsage(end) }),
  };
}

const toFinishReason = ({ finishReason }: Choice) => (finishReason === 'length' ? 'length' : 'stop');

function toUsage({ promptTokens, candidates }: CompletionEnd) {
  const completionTokens = candidates.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
