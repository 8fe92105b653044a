/** What people thought of replies, from public dialogs, as things that can be compared with each other. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import type { DialogTurn } from '../../src/cli/rank-candidates.ts';

export type Source = 'ieval' | 'conture' | 'accentor-sgd' | 'apt';

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

const plainSchema = dialogSchema
  .pick({ id: true, split: true })
  .extend({ turns: z.array(z.object({ text: z.string() })) });

/** Reads one source. @param directory holds `<source>.jsonl.gz` */
export async function readJudged(directory: string, source: Source): Promise<readonly Judged[]> {
  if (source === 'apt') return await readApt(directory);
  const dialogs = await readDialogs(join(directory, `${source}.jsonl.gz`), dialogSchema);
  return dialogs.flatMap(readers[source]);
}

async function readDialogs<T>(path: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const dialogs: T[] = [];
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()) });
  for await (const line of lines) dialogs.push(schema.parse(JSON.parse(line)));
  return dialogs;
}

const aptSources = ['chitchat', 'self-dialogue', 'persona-chat', 'synthetic-persona-chat'] as const;
const foreignReplies = 4;
const aptTurnsMax = 7;

/** What a person answered, against answers that were given in other dialogs of the same kind: nobody judged, but only one can fit. */
async function readApt(directory: string): Promise<readonly Judged[]> {
  const bySource = await Promise.all(
    aptSources.map(async (name) => {
      const dialogs = await readDialogs(join(directory, `${name}.jsonl.gz`), plainSchema);
      return dialogs.filter(({ turns }) => turns.length >= 4).map(toTwoSides);
    }),
  );
  return bySource.flatMap((dialogs) =>
    dialogs.flatMap(({ id, split, turns }, place): Judged[] => {
      const end = Math.max(1, Math.min(turns.length - 1, aptTurnsMax)) | 1;
      const context = turns.slice(0, Math.min(end, turns.length - 1));
      const reply = turns[context.length];
      const foreign = Array.from({ length: foreignReplies }, (_, i) => {
        const other = dialogs[(place + 7 * (i + 1)) % dialogs.length]!;
        return other.turns[Math.min(context.length, other.turns.length - 1)]!;
      });
      if (reply === undefined || context.at(-1)?.role !== 'user') return [];
      return [reply, ...foreign].map(({ text }, i) => ({
        source: 'apt',
        split,
        group: `${id}/${place}`,
        value: i === 0 ? 1 : 0,
        replies: [{ turns: context, text: text.slice(0, 400) }],
      }));
    }),
  );
}

/** The first speaker as the user, the other one as the companion. */
function toTwoSides({ id, split, turns }: z.infer<typeof plainSchema>) {
  return {
    id,
    split,
    turns: turns.map(
      ({ text }, place): DialogTurn => ({ role: place % 2 === 0 ? 'user' : 'companion', text }),
    ),
  };
}

const readers: Readonly<Record<Exclude<Source, 'apt'>, (dialog: Dialog) => readonly Judged[]>> = {
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
