/** What people thought of replies, from public dialogs, as things that can be compared with each other. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import type { DialogTurn } from '../../src/cli/rank-candidates.ts';

export type Source = 'ieval' | 'conture' | 'accentor-sgd';

export interface JudgedReply {
  /** Oldest first; the last one is the user's. */
  readonly turns: readonly DialogTurn[];
  readonly text: string;
}

/** One or several replies that were judged together. */
export interface Judged {
  readonly source: Source;
  readonly split: 'train' | 'valid' | 'test';
  /** Only within a group judgements can be compared. */
  readonly group: string;
  /** Higher is better. */
  readonly value: number;
  readonly replies: readonly JudgedReply[];
}

const additionSchema = z.object({ text: z.string(), good: z.boolean() });
const dialogSchema = z.object({
  id: z.string(),
  split: z.enum(['train', 'valid', 'test']),
  meta: z
    .object({ group: z.string().optional(), ratings: z.object({ Rating: z.number() }).partial() })
    .partial(),
  turns: z.array(
    z.object({
      role: z.enum(['user', 'assistant']),
      text: z.string(),
      label: z
        .object({
          score: z.number(),
          beginning: z.array(additionSchema),
          end: z.array(additionSchema),
        })
        .partial()
        .optional(),
    }),
  ),
});
type Dialog = z.infer<typeof dialogSchema>;

/** Reads one source. @param directory holds `<source>.jsonl.gz` */
export async function readJudged(directory: string, source: Source): Promise<readonly Judged[]> {
  const file = createReadStream(join(directory, `${source}.jsonl.gz`));
  const judged: Judged[] = [];
  for await (const line of createInterface({ input: file.pipe(createGunzip()) })) {
    judged.push(...readers[source](dialogSchema.parse(JSON.parse(line))));
  }
  return judged;
}

const readers: Readonly<Record<Source, (dialog: Dialog) => readonly Judged[]>> = {
  /** Four bots talked about the same scene; who talked with them rated each dialog from 1 to 3. */
  ieval({ split, meta, turns }) {
    const value = meta?.ratings?.Rating;
    const group = meta?.group;
    if (value === undefined || group === undefined) return [];
    return [{ source: 'ieval', split, group, value, replies: repliesOf(turns).map(({ reply }) => reply) }];
  },
  /** Every reply of a bot was given 0, 1 or 2. */
  conture({ id, split, turns }) {
    return repliesOf(turns).flatMap(({ reply, label }) =>
      label?.score === undefined
        ? []
        : [{ source: 'conture', split, group: id, value: label.score, replies: [reply] } as const],
    );
  },
  /** Small talk that models would have added to an assistant's turn, good or bad. Only turns where some are good and others not. */
  'accentor-sgd'({ id, split, turns }) {
    return repliesOf(turns).flatMap(({ reply, label, place }) => {
      const additions = [...(label?.beginning ?? []), ...(label?.end ?? [])];
      if (new Set(additions.map(({ good }) => good)).size < 2) return [];
      return additions.map(({ text, good }) => ({
        source: 'accentor-sgd' as const,
        split,
        group: `${id}/${place}`,
        value: good ? 1 : 0,
        replies: [{ ...reply, text }],
      }));
    });
  },
};

function repliesOf(turns: Dialog['turns']) {
  const said = turns.map(({ role, text }) => ({
    role: role === 'user' ? ('user' as const) : ('companion' as const),
    text,
  }));
  return turns.flatMap(({ role, text, label }, place) =>
    role === 'assistant' && turns[place - 1]?.role === 'user'
      ? [{ reply: { turns: said.slice(0, place), text }, label, place }]
      : [],
  );
}

/** The judgements of `count` groups of a split, in the order of the file; groups of one are left out. */
export function takeGroups(
  judged: readonly Judged[],
  split: Judged['split'],
  count: number,
): readonly (readonly Judged[])[] {
  const groups = new Map<string, Judged[]>();
  for (const one of judged) {
    if (one.split !== split) continue;
    const group = groups.get(one.group) ?? [];
    groups.set(one.group, group);
    group.push(one);
  }
  const comparable = [...groups.values()].filter(
    (group) => new Set(group.map(({ value }) => value)).size > 1,
  );
  // Spread over the file, which is ordered by subject.
  const step = Math.max(1, comparable.length / count);
  return Array.from(
    { length: Math.min(count, comparable.length) },
    (_, i) => comparable[Math.floor(i * step)]!,
  );
}
