/** `amity user`: what is kept of somebody, beside a running server or without one. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { conversationsMax } from '../conversation/stores.ts';
import { openStore } from '../open-store.ts';
import { conversationIds, exportUser } from '../records/export-user.ts';
import { type ImportedLine, toImportedConversation } from '../records/imported-conversation.ts';
import { systemClock } from '../std/clock.ts';
import type { Store } from '../storage/store.ts';
import { userKeyOf } from '../user-key.ts';
import { parseImportLine } from './import-line.ts';
import { linesOf } from './json-lines.ts';

/** Messages of one imported conversation. */
const linesMax = 100_000;
const userIdPattern = /^\P{Cc}{1,128}$/u;

export function createUserCommand(settings: () => Config): Command {
  const user = new Command('user').description('export, erase or import what is kept of a user');
  user
    .command('export')
    .description('write everything that is kept of a user, as one JSON document')
    .argument('<userId>')
    .option('--json', 'JSON, which it always writes')
    .action((userId: string) => exportTo(settings(), checked(userId)));
  user
    .command('erase')
    .description('take out everything that is kept of a user; there is no way back')
    .argument('<userId>')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nDevices that are connected to a running server stay connected until they connect again; `DELETE /v1/me` closes them.' +
        '\ndocs/privacy.md lists what is taken out, and what is not.',
    )
    .action((userId: string, { json }: { json?: boolean }) =>
      erase(settings(), checked(userId), json === true),
    );
  user
    .command('import')
    .description('take in a conversation that was had elsewhere; the same file again changes nothing')
    .argument('<userId>')
    .argument(
      '<file.jsonl>',
      'JSON lines { role, text, createdAt, externalId? }, oldest first; - is standard input',
    )
    .option('--json', 'as JSON')
    .action((userId: string, file: string, { json }: { json?: boolean }) =>
      importFrom(settings(), { userId: checked(userId), file, json: json === true }),
    );
  return user;
}

function checked(userId: string): string {
  if (!userIdPattern.test(userId))
    throw new Error('A user id has 1 to 128 characters, none of them a control character.');
  return userId;
}

async function exportTo(config: Config, userId: string): Promise<void> {
  await using store = await openStore(config);
  if (!(await isKnown(store, userId))) throw new Error(`Nothing is kept of a user ${userId}.`);
  for await (const piece of await exportUser({ store, clock: systemClock }, userId))
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

async function erase(config: Config, userId: string, json: boolean): Promise<void> {
  await using store = await openStore(config);
  const userKey = config.auth.kind === 'guest' ? userKeyOf(userId) : null;
  const erased = await store.eraseUser({ userId, userKey, at: systemClock.now() });
  if (json) process.stdout.write(`${JSON.stringify({ userId, erased })}\n`);
  else
    for (const [name, count] of Object.entries(erased)) process.stdout.write(`${name.padEnd(14)} ${count}\n`);
}

interface Import {
  readonly userId: string;
  readonly file: string;
  readonly json: boolean;
}

async function importFrom(config: Config, { userId, file, json }: Import): Promise<void> {
  const { lines, digest } = await readLines(file);
  const idOf = (prefix: string, place: number) =>
    `${prefix}_${createHash('sha256').update(`${userId} ${digest} ${place}`).digest('hex').slice(0, 32)}`;
  const record = toImportedConversation(userId, lines, idOf);
  await using store = await openStore(config);
  const { conversationId } = record;
  const ids: string[] = [];
  for await (const id of conversationIds(store, userId)) ids.push(id);
  const isNew = !ids.includes(conversationId);
  if (isNew && ids.length >= conversationsMax)
    throw new Error(`${userId} has ${ids.length} conversations already, which is as many as one can have.`);
  if (isNew) await store.putConversation(record);
  if (json)
    process.stdout.write(`${JSON.stringify({ userId, conversationId, messages: lines.length, isNew })}\n`);
  else
    process.stdout.write(
      `${conversationId}: ${lines.length} messages${isNew ? '' : ', which were imported before'}\n`,
    );
}

/** @throws Error that names the first line that cannot be taken; nothing was imported then. */
async function readLines(file: string): Promise<{ lines: readonly ImportedLine[]; digest: string }> {
  const lines: ImportedLine[] = [];
  const hash = createHash('sha256');
  const source = file === '-' ? { name: 'standard input', stream: process.stdin } : { name: file };
  for await (const { number, text } of linesOf(source)) {
    const parsed = parseImportLine(text);
    if (!parsed.ok) throw new Error(`${source.name}, line ${number}: ${parsed.problem}`);
    if (lines.length === linesMax) throw new Error(`${source.name} has more than ${linesMax} messages.`);
    lines.push(parsed.line);
    hash.update(JSON.stringify(parsed.line));
  }
  if (lines.length === 0) throw new Error(`${source.name} holds no message.`);
  return { lines, digest: hash.digest('hex') };
}

async function isKnown(store: Store, userId: string): Promise<boolean> {
  const { settings, dailyTurns } = await store.userRecord(userId);
  if (settings !== null || dailyTurns.length > 0) return true;
  return (await store.conversationIds({ userId, after: null, limit: 1 })).length > 0;
}
