/** What the set-up tells the person in front of it. All of it goes to standard error: standard output is for data. */
const TICK_MS = 200;

export const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

export function say(text) {
  process.stderr.write(`amity: ${text}\n`);
}

/** Says what is being done, counts the seconds on a terminal, and says how long it took. */
export async function saying(text, work) {
  const startedAt = performance.now();
  const live = process.stderr.isTTY === true;
  const draw = () => process.stderr.write(`\r\x1b[Kamity: ${text} ... ${seconds(startedAt)}`);
  if (!live) say(`${text} ...`);
  const timer = live ? setInterval(draw, TICK_MS) : undefined;
  if (live) draw();
  let outcome = 'failed';
  try {
    const value = await work();
    outcome = 'done';
    return value;
  } finally {
    clearInterval(timer);
    if (live) process.stderr.write('\r\x1b[K');
    say(`${text}: ${outcome} (${seconds(startedAt)})`);
  }
}

/** A failure of the set-up that its reader can mend: one sentence with the remedy, and what the tool said last. */
export class SetUpError extends Error {
  constructor(message, detail = '') {
    super(message);
    this.name = 'SetUpError';
    this.detail = detail;
  }
}
