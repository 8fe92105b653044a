/** Where the conversation is printed and lines come from: a person at a terminal, or a program at a pipe. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';

export interface Terminal extends Disposable {
  readonly isInteractive: boolean;
  /** What is said; parts of a line come one after another. */
  write(text: string): void;
  /** Something about the conversation, on a line of its own. */
  note(text: string): void;
  /** Whether the companion is at it: then nothing that is typed disturbs what is printed. `typing`: and nothing can be read yet. */
  setBusy(isBusy: boolean, typing: boolean): void;
  /** Whole messages; ends when the person leaves. */
  lines(): AsyncIterable<string>;
  /** Ends `lines`. */
  close(): void;
}

export interface Streams {
  readonly input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>;
  readonly output: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'hasColors'>>;
  readonly errors: NodeJS.WritableStream;
}

/** @param onInterrupt Ctrl-C at a terminal */
export function openTerminal(streams: Streams, onInterrupt: () => void): Terminal {
  const isInteractive = streams.input.isTTY === true && streams.output.isTTY === true;
  return isInteractive ? openInteractive(streams, onInterrupt) : openPiped(streams);
}

const prompt = 'You: ';
const clearLine = '\r\u001b[2K';

function openInteractive({ input, output }: Streams, onInterrupt: () => void): Terminal {
  const dim = (text: string) => (output.hasColors?.() === true ? `\u001b[2m${text}\u001b[22m` : text);
  let isBusy = false;
  let isTypingShown = false;
  const echo = new Writable({
    write(chunk, _encoding, done) {
      if (!isBusy) output.write(chunk);
      done();
    },
  });
  const editor = createInterface({
    input,
    output: Object.defineProperty(echo, 'columns', { get: () => output.columns ?? 80 }),
    terminal: true,
    prompt,
  });
  editor.on('SIGINT', onInterrupt);
  const hideTyping = () => {
    if (isTypingShown) output.write(clearLine);
    isTypingShown = false;
  };
  editor.prompt();
  return {
    isInteractive: true,
    write(text) {
      hideTyping();
      output.write(text);
    },
    note(text) {
      hideTyping();
      if (!isBusy) output.write(clearLine);
      output.write(`${dim(text)}\n`);
      if (!isBusy) editor.prompt(true);
    },
    setBusy(busy, typing) {
      if (busy && !isBusy) output.write(clearLine);
      if (isTypingShown && !typing) hideTyping();
      if (busy && typing && !isTypingShown) {
        output.write(dim('Amity is typing ... (Ctrl-C stops)'));
        isTypingShown = true;
      }
      const isDone = isBusy && !busy;
      isBusy = busy;
      if (isDone) editor.prompt(true);
    },
    lines: () => messagesOf(editor),
    close: () => editor.close(),
    [Symbol.dispose]: () => {
      isBusy = false;
      editor.close();
      output.write('\n');
    },
  };
}

type Editor = ReturnType<typeof createInterface>;

/** Lines that come at once are one message, since they were pasted; a \ at the end of one continues it on the next. */
async function* messagesOf(editor: Editor): AsyncGenerator<string> {
  const messages: string[] = [];
  let pasted: string[] = [];
  let isClosed = false;
  let wake = () => {};
  const flush = () => {
    if (pasted.length > 0 && pasted.at(-1)?.endsWith('\\') !== true) {
      messages.push(joinLines(pasted));
      pasted = [];
    }
    wake();
  };
  editor.on('line', (line) => {
    pasted.push(line);
    setImmediate(flush);
    // Enter leaves the line as it is, and a prompt stands below it.
    setImmediate(() => editor.prompt());
  });
  editor.once('close', () => {
    isClosed = true;
    setImmediate(() => wake());
  });
  for (;;) {
    const message = messages.shift();
    if (message !== undefined) yield message;
    else if (isClosed) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

function openPiped({ input, output, errors }: Streams): Terminal {
  const editor = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // Lines that come before anybody asks for them are kept.
  const lines = editor[Symbol.asyncIterator]();
  async function* messages(): AsyncGenerator<string> {
    let begun: string[] = [];
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      begun.push(next.value);
      if (next.value.endsWith('\\')) continue;
      yield joinLines(begun);
      begun = [];
    }
    if (begun.length > 0) yield joinLines(begun);
  }
  return {
    isInteractive: false,
    write: (text) => void output.write(text),
    note: (text) => void errors.write(`${text}\n`),
    setBusy: () => {},
    lines: messages,
    close: () => editor.close(),
    [Symbol.dispose]: () => editor.close(),
  };
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/\\$/, '')).join('\n');
}

/** Resolves when everything that was written has left the process. */
export async function flushed(output: NodeJS.WritableStream): Promise<void> {
  if (!output.write('')) await once(output, 'drain');
}
