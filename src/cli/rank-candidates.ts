/** Candidates that somebody else wrote, as the race would see them at their end. */
import type { Config } from '../config/load.ts';
import type { RankContext } from '../conversation/generator.ts';
import type { Message, Role } from '../conversation/message.ts';
import { buildPrompt, type PromptSetup, promptMessagesMax } from '../conversation/prompt.ts';
import { transcriptTemplate } from '../conversation/transcript-template.ts';
import type { Contender } from '../engine/request.ts';
import { type OpenedModel, openModel } from '../onnx/open-model.ts';
import { openRunner } from '../onnx/open-runner.ts';
import { promptSetupOf } from '../prompt-setup.ts';

export interface DialogTurn {
  readonly role: Role;
  readonly text: string;
}

export interface CandidateScorer extends AsyncDisposable {
  /**
   * Measures the candidates under the prompt that production would make of the dialog, each with the token that ends a reply.
   *
   * @param turns oldest first; the last one is answered
   */
  score(
    turns: readonly DialogTurn[],
    candidates: readonly string[],
  ): Promise<{ readonly context: RankContext; readonly contenders: readonly Contender[] }>;
}

/** @throws CodedError `model_unavailable` */
export async function openCandidateScorer({
  model,
  pool,
  reply,
}: Pick<Config, 'model' | 'pool' | 'reply'>): Promise<CandidateScorer> {
  const opened = await openModel(model.directory, { checksums: model.verifyChecksums });
  const { manifest, tokenizer } = opened;
  const setup = promptSetupOf(opened, reply);
  const runner = await openRunner({
    directory: model.directory,
    manifest,
    threads: pool.threads,
    // Whatever is scored has a cache of its own.
    slots: 1,
    positions: 1,
  });
  return {
    async score(turns, candidates) {
      const { segments, context } = buildPrompt(setup, toMessages(turns));
      const prompt = tokenizer.encode(segments);
      const room = manifest.shape.contextTokensMax - prompt.length;
      const texts = candidates.map((text) => text.trim());
      const tokens = texts.map((text) => replyTokens(opened, setup, text).subarray(0, room));
      const scores = await runner.scoreContinuations(prompt, tokens);
      const isAnswer = turns.at(-1)?.role === 'user';
      return {
        context: isAnswer ? context : { ...context, userTurn: '' },
        contenders: texts.map((text, index) => ({
          index,
          text,
          tokens: scores[index]?.length ?? 0,
          logProb: scores[index]?.reduce((sum, one) => sum + one, 0) ?? 0,
          isEnded: true,
        })),
      };
    },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

/** As the model would have written it: a line of a transcript begins with a space and ends with the line. */
function replyTokens({ manifest, tokenizer }: OpenedModel, setup: PromptSetup, text: string): Int32Array {
  if (setup.template.id === transcriptTemplate.id) {
    return tokenizer.encode([
      { kind: 'text', text: ` ${text}` },
      { kind: 'template', text: '\n' },
    ]);
  }
  return Int32Array.of(...tokenizer.encode([{ kind: 'text', text }]), ...manifest.tokens.eos.slice(0, 1));
}

function toMessages(turns: readonly DialogTurn[]): readonly Message[] {
  return turns.slice(-promptMessagesMax).map(({ role, text }, index) => ({
    messageId: `turn_${index}`,
    conversationId: 'none',
    userId: 'none',
    seq: index + 1,
    rev: index + 1,
    role,
    text: text.normalize('NFC'),
    status: 'done',
    createdAt: 0,
    parentId: null,
    clientMessageId: null,
    generationId: null,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
  }));
}
