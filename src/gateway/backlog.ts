import type { Socket } from 'socket.io';
import type { Clock } from '../std/clock.ts';
import { isHeld } from './flushes.ts';

type Connection = Socket['conn'];

/** What may wait for a device that does not read. */
const stalledMax: Waiting = { packets: 256, bytes: 256 * 1024 };
/** What may wait at all: a burst of events is answered faster than any device reads. */
const burstMax: Waiting = { packets: 1024, bytes: 2 * 1024 * 1024 };
/** So much may wait before the device's further events are looked at. */
const shortBytes = 32 * 1024;
/** A device to which nothing could be handed over for so long does not read. */
const stalledMs = 250;

interface Waiting {
  readonly packets: number;
  readonly bytes: number;
}

/**
 * What waits to be written to one connection, because the device does not read as fast as it is told things. `bufferedAmount` of the
 * WebSocket would not show it: engine.io hands that no more than it takes, and keeps the rest in a buffer of its own.
 */
export class Backlog {
  readonly #connection: Connection;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #drainedAt: number;

  constructor(connection: Connection, clock: Pick<Clock, 'monotonic'>) {
    this.#connection = connection;
    this.#clock = clock;
    this.#drainedAt = clock.monotonic();
    connection.on('drain', () => {
      this.#drainedAt = clock.monotonic();
    });
  }

  /** Whether too much waits already. */
  get isOverfull(): boolean {
    const waiting = this.#waiting();
    const isStalled = this.#clock.monotonic() - this.#drainedAt > stalledMs;
    const max = isStalled ? stalledMax : burstMax;
    return waiting.packets > max.packets || waiting.bytes > max.bytes;
  }

  /** Resolves when nothing waits but for the end of this tick, at once when nothing does; also when the connection is closed. */
  async empty(): Promise<void> {
    if (this.#buffer.length > 0 && !isHeld(this.#connection)) await this.#drained();
  }

  /** Resolves when little waits, at once when it does; also when the connection is closed. */
  async short(): Promise<void> {
    if (this.#waiting().bytes > shortBytes) await this.#drained();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#connection.off('drain', done);
        this.#connection.off('close', done);
        resolve();
      };
      this.#connection.once('drain', done);
      this.#connection.once('close', done);
    });
  }

  /** Private by its types only, and the one place that tells. */
  get #buffer(): readonly { readonly data?: unknown }[] {
    return (this.#connection as unknown as { writeBuffer: { data?: unknown }[] }).writeBuffer;
  }

  #waiting(): Waiting {
    let bytes = 0;
    for (const { data } of this.#buffer) bytes += typeof data === 'string' ? data.length : 0;
    return { packets: this.#buffer.length, bytes };
  }
}
