import { setTimeout as pause } from 'node:timers/promises';
import { deleteStale } from './records/retention.ts';
import type { Clock } from './std/clock.ts';
import type { Store } from './storage/store.ts';
import type { Logger } from './telemetry/log.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** So long after one look through the store comes the next. */
const pauseMs = 60 * 60 * 1000;

interface Retention {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** 0: all is kept. */
  readonly days: number;
}

/** From now on deletes what is older than it may become, until it is disposed of. */
export function keepRetention({ store, clock, log, days }: Retention): AsyncDisposable {
  const end = new AbortController();
  const { signal } = end;
  const done = days === 0 ? Promise.resolve() : run();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const deleted = await deleteStale(store, { before: clock.now() - days * dayMs, signal });
        if (deleted > 0) log.info({ deleted, days }, 'conversations have reached the end of their retention');
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'the retention could not be kept; it is tried again');
      }
      await pause(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await done;
    },
  };
}
