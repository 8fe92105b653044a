/** Which place among the workers a worker has: its number decides which GPU it takes. One Int32 a worker: the thread that sits there, or 0. */

/** For the worker: takes the first free seat. @returns its number; 0 where none is free. */
export function takeSeat(seats: SharedArrayBuffer, threadId: number): number {
  const places = new Int32Array(seats);
  const seat = places.findIndex((_, place) => Atomics.compareExchange(places, place, 0, threadId) === 0);
  return Math.max(0, seat);
}

/** For the main thread: frees the seats of threads that are gone. */
export function freeSeats(seats: SharedArrayBuffer, alive: ReadonlySet<number>): void {
  const places = new Int32Array(seats);
  places.forEach((threadId, place) => {
    if (threadId !== 0 && !alive.has(threadId)) Atomics.compareExchange(places, place, threadId, 0);
  });
}
