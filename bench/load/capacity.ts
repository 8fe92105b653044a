/** Replies per second when all rows are busy and a few wait: what the server can do at most. */
import { settings } from '../../src/config/schema.ts';
import { openings } from '../people/openings.ts';
import { openPerson } from './person.ts';
import { isGood } from './summarize.ts';

/** Beyond the rows, so that one is there when a row becomes free; few enough that nobody gets a canned line. */
const waiting = 4;
const warmUpSeconds = 10;
const seconds = 30;

/** @returns replies per second that the model wrote to an end */
export async function measureCapacity(url: string): Promise<number> {
  const began = performance.now();
  const clock = () => (performance.now() - began) / 1000;
  let ended = 0;
  const line = async (start: number) => {
    for (let turn = start; clock() < warmUpSeconds + seconds; turn++) {
      using person = await openPerson(url);
      const attempt = await person.say(openings[turn % openings.length]!, { at: clock(), clock });
      const isCounted = clock() >= warmUpSeconds && clock() < warmUpSeconds + seconds;
      if (isCounted && isGood(attempt)) ended++;
    }
  };
  const lines = settings.AMITY_BATCH_ROWS_MAX.fallback + waiting;
  await Promise.all(Array.from({ length: lines }, (_, start) => line(start)));
  return ended / seconds;
}
