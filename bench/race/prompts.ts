/** Real dialogs -> contexts that end where a companion would answer. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import type { Message } from '../../src/conversation/message.ts';
import { uniformAt } from '../../src/engine/uniform.ts';
import { aMessage } from '../../test/support/builders.ts';

export interface Context {
  readonly id: string;
  readonly source: string;
  /** Oldest first; the last one is the user's. */
  readonly turns: readonly { readonly role: Message['role']; readonly text: string }[];
}

const dialogSchema = z.object({
  id: z.string(),
  source: z.string(),
  split: z.enum(['train', 'valid', 'test']),
  turns: z.array(z.object({ text: z.string() })),
});

/** Turns of a dialog that are looked at; more hardly fit into a prompt. */
const turnsMax = 9;

/**
 * `count` contexts from the valid splits of all `*.jsonl.gz` in a directory, taken from the sources in turn. The place where a dialog is
 * cut, and which dialogs are taken, follow the seed.
 */
export async function sampleContexts(
  directory: string,
  { count, seed, sources }: { count: number; seed: number; sources: readonly string[] },
): Promise<readonly Context[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.jsonl.gz')).sort();
  const wanted = files.filter((name) => sources.includes(basename(name, '.jsonl.gz')));
  const bySource = await Promise.all(
    wanted.map(async (name, stream) =>
      shuffle(await readContexts(join(directory, name), seed), { seed, stream }),
    ),
  );
  const contexts: Context[] = [];
  for (let round = 0; contexts.length < count; round++) {
    const next = bySource.flatMap((list) => list[round] ?? []);
    if (next.length === 0) break;
    contexts.push(...next);
  }
  return contexts.slice(0, count);
}

async function readContexts(path: string, seed: number): Promise<Context[]> {
  const contexts: Context[] = [];
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()) });
  let read = 0;
  for await (const line of lines) {
    const dialog = dialogSchema.parse(JSON.parse(line));
    if (dialog.split !== 'valid' || dialog.turns.length < 2) continue;
    const last = Math.floor(uniformAt(seed, 1000, read++) * (dialog.turns.length - 1));
    const turns = dialog.turns.slice(Math.max(0, last + 1 - turnsMax), last + 1);
    contexts.push({
      id: dialog.id,
      source: dialog.source,
      turns: turns.map(({ text }, index) => ({
        role: (turns.length - 1 - index) % 2 === 0 ? 'user' : 'companion',
        text: text.slice(0, 1000),
      })),
    });
  }
  return contexts;
}

function shuffle<T>(list: T[], { seed, stream }: { seed: number; stream: number }): T[] {
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(uniformAt(seed, stream, index) * (index + 1));
    [list[index], list[other]] = [list[other]!, list[index]!];
  }
  return list;
}

/** As the prompt builder takes it. */
export function toMessages({ turns }: Context): readonly Message[] {
  return turns.map((turn) => aMessage(turn));
}
