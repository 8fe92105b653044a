/** Counts the words of dialogs and writes src/ranking/weights/word-frequencies.ts. */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { wordsOf } from '../../src/ranking/words.ts';

/** Talk between people under licences that ask for attribution at most. */
const sources = {
  chitchat: 'MIT',
  'self-dialogue': 'BSD-3-Clause',
  'persona-chat': 'CC-BY-4.0',
  'synthetic-persona-chat': 'CC-BY-4.0',
  'persuasion-for-good': 'Apache-2.0',
  casino: 'CC-BY-4.0',
  'counsel-chat': 'MIT',
} as const;

/** Surprisal, in nats, from which on words count as rare, all alike. */
const rareNats = 11;
const lineWidth = 132;

const dialogSchema = z.object({
  split: z.enum(['train', 'valid', 'test']),
  turns: z.array(z.object({ text: z.string() })),
});

export async function writeWordFrequencies(directory: string, output: URL): Promise<void> {
  const shares = new Map<string, number[]>();
  let words = 0;
  for (const source of Object.keys(sources)) {
    const counts = await countWords(join(directory, `${source}.jsonl.gz`));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    words += total;
    for (const [word, count] of counts) shares.set(word, [...(shares.get(word) ?? []), count / total]);
  }
  const levels = new Map<number, string[]>();
  for (const [word, seen] of shares) {
    const nats = Math.round(-Math.log(typicalOf(seen)) * 2) / 2;
    if (nats < rareNats) levels.set(nats, [...(levels.get(nats) ?? []), word]);
  }
  await writeFile(output, toModule(levels, words));
}

/** The third largest: what only one or two sources talk about is their subject, or somebody's name. 0 where fewer have it. */
function typicalOf(shares: readonly number[]): number {
  return shares.toSorted((a, b) => b - a)[2] ?? 0;
}

/** Of the train split. */
async function countWords(path: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()) });
  for await (const line of lines) {
    const { split, turns } = dialogSchema.parse(JSON.parse(line));
    if (split !== 'train') continue;
    for (const { text } of turns)
      for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function toModule(levels: ReadonlyMap<number, string[]>, words: number): string {
  const byFrequency = [...levels].sort(([a], [b]) => a - b);
  const rows = byFrequency.flatMap(([nats, list]) => wrap(`${nats}`, list.sort()));
  const licences = Object.entries(sources).map(([source, licence]) => `${source} (${licence})`);
  return `/**
 * How common words are in talk: counts, made by \`npm run bench -- ranker --words\` (bench/ranker/count-words.ts); do not edit.
 *
 * From the train splits of ${licences.slice(0, 4).join(', ')},
 * ${licences.slice(4).join(', ')}: ${Math.round(words / 1e6)} million words.
 * A word's share is that of the source with the third largest, so that what one of them is about does not
 * count; docs/ranking.md names them in full.
 * Weights are fitted to it: with other words they need another version.
 */

/** Surprisal in nats of every word that is not listed. */
export const rareNats = ${rareNats};

/** A line: surprisal (the negative natural logarithm of the word's share of all words) to half a nat, then the words that have it. */
export const wordFrequencies = \`
${rows.join('\n')}
\`;
`;
}

function wrap(head: string, words: readonly string[]): string[] {
  const rows: string[] = [];
  let row = head;
  for (const word of words) {
    if (row.length + 1 + word.length > lineWidth) {
      rows.push(row);
      row = head;
    }
    row += ` ${word}`;
  }
  return [...rows, row];
}
