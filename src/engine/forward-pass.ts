import type { ForwardRow, ModelRunner, RowLogits } from './model-runner.ts';
import type { PromptChunk } from './scheduler.ts';
import type { Sequence } from './sequence.ts';

/** Rows that run together, and fail together: one chunk of a prompt, or the whole batch. */
export interface Pass {
  readonly rows: readonly ForwardRow[];
  /** The sequence of each row. */
  readonly sequences: readonly Sequence[];
  /** Null for the batch. */
  readonly chunk: PromptChunk | null;
}

export type PassResult =
  | { readonly pass: Pass; readonly ok: true; readonly logits: readonly (RowLogits | null)[] }
  | { readonly pass: Pass; readonly ok: false; readonly message: string };

/** The batch first, then prompt by prompt: each in a pass of its own, so that one that fails takes nobody along. */
export function toPasses(decoding: readonly Sequence[], prompts: readonly PromptChunk[]): readonly Pass[] {
  const passes: Pass[] = [];
  if (decoding.length > 0) {
    passes.push({
      rows: decoding.map((sequence) => toRow(sequence, 1, true)),
      sequences: decoding,
      chunk: null,
    });
  }
  for (const chunk of prompts) {
    const { head } = chunk.group;
    passes.push({ rows: [toRow(head, chunk.tokens, chunk.isLast)], sequences: [head], chunk });
  }
  return passes;
}

function toRow(sequence: Sequence, tokens: number, wantsLogits: boolean): ForwardRow {
  return {
    slot: sequence.slot!,
    position: sequence.cached,
    tokens: sequence.nextTokens(tokens),
    wantsLogits,
  };
}

/** Runs one pass. It changes no sequence, so there is nothing to undo when it fails. */
export async function runPass(runner: ModelRunner, pass: Pass): Promise<PassResult> {
  try {
    const logits = await runner.forward(pass.rows);
    const isComplete =
      logits.length === pass.rows.length &&
      pass.rows.every((row, index) => row.wantsLogits === (logits[index] !== null));
    if (!isComplete) throw new Error('the runner did not return logits for the rows that want them');
    return { pass, ok: true, logits };
  } catch (error) {
    return { pass, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
