import { limits } from '../protocol/limits.ts';
import { CodedError } from '../std/coded-error.ts';

const bytesMax = {
  text: limits.textBytesMax,
  comment: limits.commentBytesMax,
  title: limits.titleBytesMax,
  query: limits.queryBytesMax,
} as const;

/** @throws CodedError `too_large` when a text has more UTF-8 bytes than its limit. */
export function assertBytes(field: keyof typeof bytesMax, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= bytesMax[field]) return;
  throw new CodedError('too_large', `${field} has ${bytes} bytes; at most ${bytesMax[field]} are taken.`);
}
