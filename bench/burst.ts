/**
 * Many people at the same moment, each with a word that nobody else may ever see: in the name and in the message.
 *
 *     npm run bench -- burst [--people 200] [--rounds 4] [--json]
 *
 * In each round everybody says one thing at once. Each must get exactly one end or one coded refusal, and no event may hold somebody
 * else's word. Between rounds the server comes to rest and its memory is read; people keep their sockets and conversations.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import { createUniform } from '../models/tiny/random.ts';
import { type Attempt, openPerson, type Person } from './load/person.ts';
import { isGood } from './load/summarize.ts';
import { describeMachine, quantile } from './machine.ts';
import { startServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const key = 'a key of the burst measurement, 32 bytes';
await using server = await startServerProcess({ JWT_SECRET: key, HOST: '127.0.0.1' });

const words = secretWords(Number(values.people));
const leaks: string[] = [];
/** By generation. */
const ends = new Map<string, number>();
const people: Person[] = [];
for (const word of words) people.push(await openOwner(word));

const rounds = [];
for (let round = 1; round <= Number(values.rounds); round++) {
  const began = performance.now();
  const clock = () => (performance.now() - began) / 1000;
  const attempts = await Promise.all(
    people.map((person, index) =>
      person.say(`My secret word is ${words[index]}. What is my secret word?`, { at: 0, clock }),
    ),
  );
  rounds.push({ round, ...summarize(attempts), residentMb: await restingMb() });
}
const resident = rounds.map(({ residentMb }) => residentMb);
const result = {
  ...describeMachine(),
  people: people.length,
  rounds,
  leaks,
  endedTwice: [...ends.values()].filter((count) => count > 1).length,
  residentGrowth: resident.length < 4 ? null : Math.round(1000 * (resident[3]! / resident[1]! - 1)) / 1000,
};
writeFileSync(new URL('results/burst.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
for (const person of people) person[Symbol.dispose]();
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(rounds);
  console.log(`leaks: ${leaks.length}; memory after round 4 against round 2: ${result.residentGrowth}`);
}
process.exitCode =
  leaks.length + result.endedTwice + rounds.reduce((sum, { wrong }) => sum + wrong, 0) === 0 ? 0 : 1;

/** Somebody in whose name, messages and replies only this word may be. */
async function openOwner(word: string): Promise<Person> {
  const token = await new SignJWT({ sub: `user-${word}` })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(key));
  const person = await openPerson(server.url, token);
  person.socket.onAny((event: string, payload: unknown) => {
    const text = JSON.stringify(payload);
    if (event === 'reply:end' || event === 'reply:fail') {
      const { generationId } = payload as { generationId: string };
      ends.set(generationId, (ends.get(generationId) ?? 0) + 1);
    }
    for (const other of words) if (other !== word && text.includes(other)) leaks.push(`${event}: ${other}`);
  });
  return person;
}

function summarize(attempts: readonly Attempt[]) {
  const count = (fits: (attempt: Attempt) => boolean) => attempts.filter(fits).length;
  const isAnswered = (one: Attempt) => (one.outcome === null) !== (one.refused === null);
  const firstTexts = attempts.flatMap(({ firstTextMs }) => firstTextMs ?? []);
  return {
    replies: count(isGood),
    canned: count(({ outcome }) => outcome === 'canned'),
    refused: count(({ refused }) => refused !== null),
    failed: count(({ outcome }) => outcome?.startsWith('failed') ?? false),
    wrong: count((one) => !isAnswered(one) || one.wrongs.length > 0),
    'first text p50': quantile(firstTexts, 0.5),
    'first text p99': quantile(firstTexts, 0.99),
  };
}

/** Resident memory when nobody is answered any more and the level is the usual one. */
async function restingMb(): Promise<number> {
  for (;;) {
    const { replies, running, level, residentBytes } = await server.figures();
    if (replies === 0 && running === 0 && level <= 1) return Math.round(residentBytes / 1e6);
    await pause(200);
  }
}

function secretWords(count: number): string[] {
  const random = createUniform(7);
  const letter = () => 'bcdfghjklmnpqrstvwxz'[Math.floor(random() * 20)];
  return Array.from({ length: count }, () => `x${Array.from({ length: 9 }, letter).join('')}`);
}
