/** How much is taken from whom. All numbers are here; they are far beyond what a person does, and below what a program could. */
import type { ClientEvent } from '../protocol/events.ts';

export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

/** An event costs points; a socket, a user and an address have so many. */
export const eventRates = {
  socket: { points: 300, seconds: 10 },
  user: { points: 900, seconds: 10 },
  /** Many people may share one: a school, a mobile network. */
  address: { points: 6000, seconds: 10 },
} as const satisfies Record<string, Rate>;

/** Turns and further replies that one user may ask for. The store counts them: a day goes on through a restart. */
export const turnsPerDayMax = 10_000;
export const connectsPerAddress: Rate = { points: 300, seconds: 60 };
export const guestsPerAddress: Rate = { points: 120, seconds: 60 };

/** Connections that may stand at one time. */
export const socketsMax = { perUser: 32, perAddress: 4000 } as const;

const costs: ReadonlyMap<string, number> = new Map<ClientEvent, number>([
  ['message:send', 3],
  ['message:edit', 3],
  ['reply:regenerate', 3],
  ['history:search', 5],
  ['conversation:open', 2],
  ['conversation:create', 3],
  ['conversation:delete', 3],
  ['conversation:list', 2],
  ['history:page', 2],
  ['branch:select', 2],
]);

/** What an event costs, known or not. */
export const costOf = (event: string): number => costs.get(event) ?? 1;
