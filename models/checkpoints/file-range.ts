import type { FileHandle } from 'node:fs/promises';

/** Reads exactly `length` bytes. @throws when the file ends before. */
export async function readRange(
  file: FileHandle,
  { start, length, path }: { start: number; length: number; path: string },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) throw new Error(`${path} is cut off: it ends before byte ${start + length}`);
    done += bytesRead;
  }
  return bytes;
}
