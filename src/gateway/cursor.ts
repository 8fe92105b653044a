/** Where a page ended, as a text that says nothing to clients. */
import { CodedError } from '../std/coded-error.ts';

export function toCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws CodedError `invalid_payload` for what is no cursor with such parts. */
export function fromCursor<Parts extends readonly ('string' | 'number')[]>(
  cursor: string,
  ...types: Parts
): { [P in keyof Parts]: Parts[P] extends 'number' ? number : string } {
  const parts = parse(cursor);
  const isWhole = Array.isArray(parts) && parts.length === types.length;
  if (!isWhole || !types.every((type, place) => isOf(type, parts[place])))
    throw new CodedError('invalid_payload', 'cursor: is not one of ours');
  return parts as never;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return null;
  }
}

function isOf(type: 'string' | 'number', part: unknown): boolean {
  return type === 'number'
    ? Number.isSafeInteger(part)
    : typeof part === 'string' && !part.includes('\u0000');
}
