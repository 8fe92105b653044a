import type { GenerationEvent, GenerationRequest } from '../conversation/generator.ts';
import type { GenerationHost, RunMessage } from './generation-host.ts';
import { Inbox } from './inbox.ts';

/** One generation on its way through a worker. */
export interface Run {
  /** Ends with an event `finished` or `alternative`, with `failed` or with `lost`, whatever happens to the worker. */
  readonly messages: AsyncIterable<RunMessage>;
  phase(): 'waiting' | 'running' | 'ended';
  /** When it came; monotonic milliseconds. */
  readonly since: number;
  /** Resolves when no worker holds it any more. */
  readonly settled: Promise<void>;
  /** Asks the worker to stop between two steps; harmless when it has ended. */
  cancel(): void;
}

export interface RunOptions {
  readonly host: GenerationHost;
  /** Called once, when it waits no more: it runs, or has ended without. */
  readonly onStart: () => void;
  readonly now: number;
}

export function startRun(request: GenerationRequest, { host, onStart, now }: RunOptions): Run {
  const inbox = new Inbox<RunMessage>(joinText);
  let phase: ReturnType<Run['phase']> = 'waiting';
  const receive = (message: RunMessage) => {
    if (phase === 'ended') return;
    const isEnd = message.type !== 'event' || isLast(message.event);
    const waited = phase === 'waiting';
    phase = isEnd ? 'ended' : 'running';
    if (waited) onStart();
    inbox.push(message);
    if (isEnd) inbox.close();
  };
  const hosted = host.start(request, receive);
  return {
    messages: inbox,
    since: now,
    phase: () => phase,
    settled: hosted.settled,
    cancel: () => {
      if (phase !== 'ended') hosted.cancel();
    },
  };
}

/** Text that waits for a reader which is slower than the worker, as a store may be, is worth one write, and not one for each token. */
function joinText(earlier: RunMessage, later: RunMessage): RunMessage | null {
  if (earlier.type !== 'event' || later.type !== 'event') return null;
  const [one, next] = [earlier.event, later.event];
  if (one.kind !== 'text' || next.kind !== 'text' || one.index !== next.index) return null;
  return { ...later, event: { ...next, text: one.text + next.text } };
}

function isLast(event: GenerationEvent): boolean {
  return event.kind === 'alternative' || (event.kind === 'finished' && !event.hasMore);
}
