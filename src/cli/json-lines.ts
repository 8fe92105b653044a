import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Where lines are read from. */
export interface LineSource {
  /** A path, or what stands for one in messages. */
  readonly name: string;
  /** Instead of the file of this name. */
  readonly stream?: NodeJS.ReadableStream;
}

/** The lines that hold anything. @throws Error when the file cannot be read. */
export async function* linesOf({ name, stream }: LineSource): AsyncGenerator<Line> {
  const input = stream ?? (await openFile(name));
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\uFEFF/u, '') : line;
    if (text.trim() !== '') yield { number, text };
  }
}

/** Opened before it is read: a stream that fails while lines are awaited would end them without a word. */
async function openFile(file: string): Promise<NodeJS.ReadableStream> {
  const stream = createReadStream(file, 'utf8');
  try {
    await once(stream, 'ready');
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return stream;
}
