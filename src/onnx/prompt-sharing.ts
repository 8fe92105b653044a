import { createInt64Array, type Int64Array } from './int64-array.ts';

/** Which query lines of a batch look at which prompt: the lists that the graph gathers by. */
export interface PromptSharing {
  /** Prompt slots that the batch uses. */
  readonly prompts: number;
  /** Whether they are 0..prompts-1. */
  readonly isGapless: boolean;
  readonly toPrompts: { readonly data: BigInt64Array; readonly dims: readonly number[] };
  readonly fromPrompts: { readonly data: BigInt64Array; readonly dims: readonly number[] };
}

/**
 * A query line is one head of one row. Rows keep their places in the batch whatever prompt they have; only for the two products
 * with the prompt are their lines put together prompt by prompt, each with room for as many rows as the largest has. So
 * candidates may end one by one: what that costs is room in these two products, and nothing in the layers.
 *
 * @param promptSlots the prompt slot of each row, all of 0..n-1.
 * @param heads `group` query heads to each of `kvHeads` key/value heads.
 */
export function sharePrompts(
  promptSlots: readonly number[],
  { kvHeads, group }: { kvHeads: number; group: number },
): PromptSharing {
  const prompts = 1 + Math.max(...promptSlots);
  const rowsOf: number[][] = Array.from({ length: prompts }, () => []);
  promptSlots.forEach((slot, row) => {
    rowsOf[slot]!.push(row);
  });
  const largest = Math.max(...rowsOf.map((rows) => rows.length));
  const toPrompts = createInt64Array(prompts * kvHeads * largest * group);
  const fromPrompts = createInt64Array(promptSlots.length * kvHeads * group);
  let place = 0;
  const put = (line: number, isRead: boolean): void => {
    toPrompts.set(place, line);
    if (isRead) fromPrompts.set(line, place);
    place += 1;
  };
  for (const rows of rowsOf) {
    for (let head = 0; head < kvHeads; head += 1) {
      for (let seat = 0; seat < largest; seat += 1) {
        const row = rows[seat];
        const first = ((row ?? 0) * kvHeads + head) * group;
        for (let line = first; line < first + group; line += 1) put(line, row !== undefined);
      }
    }
  }
  return {
    prompts,
    isGapless: rowsOf.every((rows) => rows.length > 0),
    toPrompts: list(toPrompts, [prompts * kvHeads, largest * group]),
    fromPrompts: list(fromPrompts, [promptSlots.length * kvHeads, group]),
  };
}

function list({ data }: Int64Array, dims: readonly number[]) {
  return { data, dims };
}
