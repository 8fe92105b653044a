/**
 * People who talk at once: each on a socket of its own, each answers a while after the reply. The server is a process of its own,
 * with default settings and the real model, as `npm start` runs it; this process is the people.
 *
 *     npm run bench -- people [--people 20] [--minutes 5] [--seed 1] [--json]
 *
 * Reported: time to first text (from the first send to the first delta), whole replies, tokens/s, resident memory at the start and
 * at the end, and everything that went wrong. People wait 0.5 to 3 s between a reply and their next message.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine, quantile } from './machine.ts';
import { openings } from './people/openings.ts';
import { startPerson } from './people/person.ts';
import { startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const people = Number(values.people);
const minutes = Number(values.minutes);

await using server = await startServerProcess();
const before = await server.figures();
const until = performance.now() + minutes * 60_000;
const talks = await Promise.all(
  Array.from({ length: people }, (_, index) =>
    startPerson({ url: server.url, lines: openings, seed: Number(values.seed) * 1000 + index, until }),
  ),
);
const after = await server.figures();

const replies = talks.flatMap((talk) => talk.replies);
const seconds = minutes * 60;
const firstText = replies.map((reply) => reply.firstTextMs);
const whole = replies.map((reply) => reply.wholeMs);
const result = {
  ...describeMachine(),
  people,
  minutes,
  replies: replies.length,
  errors: talks.flatMap((talk) => talk.errors),
  refusals: talks.reduce((sum, talk) => sum + talk.refusals, 0),
  firstTextMs: { p50: quantile(firstText, 0.5), p99: quantile(firstText, 0.99) },
  wholeReplyMs: { p50: quantile(whole, 0.5), p99: quantile(whole, 0.99) },
  tokensPerSecond: Math.round((after.tokens - before.tokens) / seconds),
  residentMb: { start: Math.round(before.residentBytes / 1e6), end: Math.round(after.residentBytes / 1e6) },
};
writeFileSync(new URL('./results/people.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table({ ...result, errors: result.errors.length, cpu: undefined });
process.exitCode = result.errors.length === 0 ? 0 : 1;
