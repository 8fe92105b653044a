/** One line of what `amity rank` reads. */
import type { DialogTurn } from './rank-candidates.ts';

export interface RankRequest {
  /** Handed back as it came. */
  readonly id: string | number;
  /** Oldest first; the last turn is answered. */
  readonly context: readonly DialogTurn[];
  readonly candidates: readonly string[];
}

export type ParsedRankLine =
  | { readonly ok: true; readonly request: RankRequest }
  /** The first thing wrong with it, as a phrase for people. */
  | { readonly ok: false; readonly problem: string };

/** Unknown fields are ignored. */
export function parseRankLine(line: string): ParsedRankLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { ok: false, problem: `not JSON (${(error as Error).message})` };
  }
  if (!isObject(value)) return { ok: false, problem: 'not a JSON object' };
  const { id, context, candidates } = value as Record<'id' | 'context' | 'candidates', unknown>;
  if (typeof id !== 'string' && typeof id !== 'number') {
    return { ok: false, problem: '"id" has to be a string or a number' };
  }
  if (!Array.isArray(context)) return { ok: false, problem: '"context" has to be a list of turns' };
  const place = context.findIndex((turn) => !isTurn(turn));
  if (place >= 0) {
    const problem = `context[${place}] has to be { "role": "user" or "companion", "text": string }`;
    return { ok: false, problem };
  }
  if (!Array.isArray(candidates) || !candidates.every((text) => typeof text === 'string')) {
    return { ok: false, problem: '"candidates" has to be a list of strings' };
  }
  return { ok: true, request: { id, context: context as DialogTurn[], candidates } };
}

function isTurn(value: unknown): value is DialogTurn {
  if (!isObject(value)) return false;
  const { role, text } = value as Partial<Record<'role' | 'text', unknown>>;
  return (role === 'user' || role === 'companion') && typeof text === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
