/** How a model is prompted: shared by the server, which writes replies, and the command line, which judges them. */
import type { Config } from './config/load.ts';
import { defaultPersona } from './conversation/persona.ts';
import type { PromptSetup } from './conversation/prompt.ts';
import { transcriptTemplate } from './conversation/transcript-template.ts';
import type { OpenedModel } from './onnx/open-model.ts';

type ReplySettings = Pick<Config['reply'], 'promptTokensMax' | 'replyTokensMax' | 'template'>;

/** Tokens that prompt and reply may have together. */
export function positionsMaxOf({ manifest }: OpenedModel, reply: ReplySettings): number {
  return Math.min(reply.promptTokensMax + reply.replyTokensMax, manifest.shape.contextTokensMax);
}

export function promptSetupOf(opened: OpenedModel, reply: ReplySettings): PromptSetup {
  return {
    persona: defaultPersona,
    template: (reply.template === 'chat' ? opened.chatTemplate : null) ?? transcriptTemplate,
    counter: opened.tokenizer,
    model: opened.manifest.name,
    budgetTokens: positionsMaxOf(opened, reply) - reply.replyTokensMax,
  };
}
