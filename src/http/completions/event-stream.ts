/** An answer as server-sent events: a chunk for each piece of text, and `[DONE]`. */

import type { Flight } from './in-flight.ts';
import { toRefusal } from './refusal.ts';
import type { CompletionRequest } from './request.ts';
import { createChunks, type Heading } from './response.ts';
import type { CompletionEvent } from './run.ts';

/** What is streamed, and who is told how that went. */
interface StreamedRun {
  readonly events: AsyncIterable<CompletionEvent>;
  readonly flight: Flight;
  readonly failed: (error: unknown) => void;
}

/**
 * @throws what the run throws before it has started: until then the answer can still have a status of its own.
 */
export async function startEventStream(
  run: StreamedRun,
  heading: Heading,
  request: CompletionRequest,
): Promise<ReadableStream<Uint8Array>> {
  const lines = toLines(run, createChunks(heading, request.includeUsage), request);
  const first = await lines.next();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (!first.done) controller.enqueue(encoder.encode(first.value));
    },
    pull: async (controller) => {
      const next = await lines.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: async () => {
      run.flight.stop();
      // Read to the end, so that what was written until now is counted.
      while (!(await lines.next()).done);
    },
  });
}

async function* toLines(
  { events, flight, failed }: StreamedRun,
  chunks: ReturnType<typeof createChunks>,
  { candidates, includeUsage }: CompletionRequest,
): AsyncGenerator<string, undefined> {
  let hasStarted = false;
  try {
    for await (const event of events) {
      if (event.kind === 'started') {
        hasStarted = true;
        yield Array.from({ length: candidates }, (_, index) => line(chunks.begin(index))).join('');
      } else if (event.kind === 'text') yield line(chunks.text(event.index, event.text));
      else {
        yield event.end.candidates.map((candidate) => line(chunks.end(candidate))).join('');
        if (includeUsage) yield line(chunks.usage(event.end));
      }
    }
    yield 'data: [DONE]\n\n';
  } catch (error) {
    if (!hasStarted) throw error;
    failed(error);
    // OpenAI's clients throw at a chunk with an error; without [DONE] others see that the text is not whole.
    yield line({ error: toRefusal(error).error });
  } finally {
    flight.end();
  }
  return undefined;
}

const line = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
