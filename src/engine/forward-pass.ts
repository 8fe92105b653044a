import type { DecodeRow, ModelRunner, RowLogits } from './model-runner.ts';
import type { PromptChunk } from './scheduler.ts';
import type { Sequence } from './sequence.ts';
import type { SequenceGroup } from './sequence-group.ts';

/** What runs together, and fails together: a piece of a prompt, or the whole batch. */
export type Pass =
  | { readonly kind: 'prefill'; readonly chunk: PromptChunk }
  | { readonly kind: 'decode'; readonly sequences: readonly Sequence[]; readonly rows: readonly DecodeRow[] };

export type PassResult =
  | { readonly pass: Pass; readonly ok: true; readonly logits: readonly (RowLogits | null)[] }
  | { readonly pass: Pass; readonly ok: false; readonly message: string };

/** The batch first, then piece by piece: each in a pass of its own, so that one that fails takes nobody along. */
export function toPasses(
  decoding: readonly Sequence[],
  prompts: readonly PromptChunk[],
  groupOf: (sequence: Sequence) => SequenceGroup,
): readonly Pass[] {
  const pieces = prompts.map((chunk) => ({ kind: 'prefill', chunk }) as const);
  if (decoding.length === 0) return pieces;
  const rows = decoding.map((sequence) => toRow(sequence, groupOf(sequence)));
  return [{ kind: 'decode', sequences: decoding, rows }, ...pieces];
}

function toRow(sequence: Sequence, group: SequenceGroup): DecodeRow {
  return {
    slot: sequence.slot!,
    position: sequence.cached,
    token: sequence.lastToken,
    prompt: { slot: group.slot!, length: group.cached },
  };
}

/** Runs one pass. It changes no sequence, so there is nothing to undo when it fails. */
export async function runPass(runner: ModelRunner, pass: Pass): Promise<PassResult> {
  try {
    const logits =
      pass.kind === 'decode' ? await runner.decode(pass.rows) : [await prefill(runner, pass.chunk)];
    const isComplete =
      pass.kind === 'decode'
        ? logits.length === pass.rows.length
        : pass.chunk.isLast === (logits[0] !== null);
    if (!isComplete) throw new Error('the runner did not return logits for the rows that want them');
    return { pass, ok: true, logits };
  } catch (error) {
    return { pass, ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function prefill(
  runner: ModelRunner,
  { group, position, tokens, isLast }: PromptChunk,
): Promise<RowLogits | null> {
  return runner.prefill({
    slot: group.slot!,
    position,
    tokens: group.request.prompt.subarray(position, position + tokens),
    wantsLogits: isLast,
  });
}
