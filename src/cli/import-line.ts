/** One line of what `amity user import` reads. */
import { limits } from '../protocol/limits.ts';
import type { ImportedLine } from '../records/imported-conversation.ts';

export type ParsedImportLine =
  | { readonly ok: true; readonly line: ImportedLine }
  /** The first thing wrong with it, as a phrase for people. */
  | { readonly ok: false; readonly problem: string };

const externalIdLengthMax = 200;

/** Unknown fields are ignored. */
export function parseImportLine(json: string): ParsedImportLine {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return bad(`not JSON (${(error as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('not a JSON object');
  const fields = value as Record<'role' | 'text' | 'createdAt' | 'externalId', unknown>;
  const { role, text, externalId } = fields;
  if (role !== 'user' && role !== 'companion') return bad('"role" has to be "user" or "companion"');
  if (typeof text !== 'string' || text.trim() === '')
    return bad('"text" has to be a string that says something');
  if (!text.isWellFormed()) return bad('"text" holds half a surrogate pair');
  if (Buffer.byteLength(text) > limits.textBytesMax)
    return bad(`"text" has more than ${limits.textBytesMax} bytes`);
  const createdAt = toTime(fields.createdAt);
  if (createdAt === null) return bad('"createdAt" has to be a time, such as "2026-01-31T12:00:00Z"');
  if (externalId !== undefined && externalId !== null && !isExternalId(externalId))
    return bad(`"externalId" has to be a string of 1 to ${externalIdLengthMax} characters`);
  return { ok: true, line: { role, text: text.normalize('NFC'), createdAt, externalId: externalId ?? null } };
}

const bad = (problem: string): ParsedImportLine => ({ ok: false, problem });

function isExternalId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= externalIdLengthMax &&
    value.isWellFormed() &&
    !value.includes('\u0000')
  );
}

/** ISO 8601, or milliseconds since the epoch. */
function toTime(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : value;
  return typeof time === 'number' && Number.isSafeInteger(time) && time >= 0 ? time : null;
}
