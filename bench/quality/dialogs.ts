import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PromptSegment } from '../../src/conversation/prompt-segment.ts';
import type { ModelTokenizer } from '../../src/onnx/tokenizer.ts';

const dialogSchema = z.object({
  id: z.string(),
  turns: z.array(z.object({ role: z.enum(['a', 'b', 'user', 'assistant']), text: z.string() })).min(2),
});

export type Dialog = z.infer<typeof dialogSchema>;

export const sampleDialogs = new URL('../data/dialogs.jsonl', import.meta.url);

/** One JSON object a line. @throws when a line is not a dialog. */
export async function readDialogs(path: string | URL): Promise<readonly Dialog[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => dialogSchema.parse(JSON.parse(line)));
}

/** Token ids of a dialog, and which of them are words of the two people and not the frame around them. */
export interface DialogTokens {
  readonly ids: readonly number[];
  readonly isText: readonly boolean[];
}

const HEADER = 'The following is a dialog between two persons.\n';

/** As a transcript, which every model can read; cut to `tokensMax`. */
export function toTokens(dialog: Dialog, tokenizer: ModelTokenizer, tokensMax: number): DialogTokens {
  const ids: number[] = [];
  const isText: boolean[] = [];
  const append = (segment: PromptSegment) => {
    const encoded = tokenizer.encode([segment]);
    ids.push(...encoded);
    isText.push(...Array.from(encoded, () => segment.kind === 'text'));
  };
  append({ kind: 'template', text: HEADER });
  for (const { role, text } of dialog.turns) {
    append({ kind: 'template', text: `Person ${role === 'a' || role === 'user' ? 'A' : 'B'}:` });
    append({ kind: 'text', text: ` ${text.trim()}` });
    append({ kind: 'template', text: '\n' });
  }
  return { ids: ids.slice(0, tokensMax), isText: isText.slice(0, tokensMax) };
}
