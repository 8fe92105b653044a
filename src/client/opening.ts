import type { Outbox } from './outbox.ts';
import type { Repair } from './repair.ts';

export interface Opening {
  /** Makes the conversation whole, then sends what waits; again after a while, as long as the server cannot tell. */
  open(): Promise<void>;
  close(): void;
}

/** Waits between attempts double up to this many times the first. */
const waitsMax = 32;

/** @param retryMs the first wait. */
export function createOpening(repair: Repair, outbox: Outbox, retryMs: number): Opening {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waits = 1;

  async function open(): Promise<void> {
    clearTimeout(timer);
    const fault = await repair.open();
    if (fault === null) waits = 1;
    // Without a connection the next one opens it.
    else if (fault.retryable && fault.code !== 'disconnected') {
      timer = setTimeout(open, fault.retryAfterMs ?? retryMs * waits);
      waits = Math.min(waits * 2, waitsMax);
    }
    await outbox.flush();
  }

  return { open, close: () => clearTimeout(timer) };
}
