/** `amity db`: looks after the store, beside a running server or without one. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { embeddedFile, openStore } from '../open-store.ts';
import { checkConversation } from '../records/check-conversation.ts';
import { type CopyProgress, copyStore, summarize } from '../records/copy-store.ts';
import { systemClock } from '../std/clock.ts';
import { openEmbeddedStore } from '../storage/embedded/embedded-store.ts';
import { openMongoStore } from '../storage/mongo/mongo-store.ts';
import { buildMissingIndexes, examineIndexes } from '../storage/mongo/upkeep.ts';
import type { Store } from '../storage/store.ts';

/** Problems that are written out; the rest is counted. */
const problemsShownMax = 100;

interface JsonFlag {
  readonly json?: boolean;
}

export function createDbCommand(settings: () => Config): Command {
  const db = new Command('db').description('look after the store: indexes, checks, copies');
  db.command('indexes')
    .description('show where the indexes of MongoDB differ from what is needed; --build makes them so')
    .option('--build', 'build what is missing, and bring the database to the version of this Amity')
    .option('--json', 'as JSON')
    .action((flags: JsonFlag & { build?: boolean }) => indexes(settings(), flags));
  db.command('check')
    .description('look through all conversations for what must not be, and count what is there')
    .option('--json', 'as JSON')
    .action((flags: JsonFlag) => check(settings(), flags));
  db.command('copy')
    .description('copy all of one store into another, and compare them; goes on where it was broken off')
    .requiredOption('--from <store>', 'embedded, embedded:<file>, mongodb, or a connection string')
    .requiredOption('--to <store>', 'as --from')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\n`embedded` is the file in DATA_DIR, `mongodb` the database of MONGODB_URI. Stop the server first: what changes meanwhile is found when' +
        '\nboth are compared, and then it has to be copied again. No server opens the copy until it is whole.',
    )
    .action((flags: JsonFlag & { from: string; to: string }) => copy(settings(), flags));
  return db;
}

async function indexes({ store }: Config, { build, json }: JsonFlag & { build?: boolean }): Promise<void> {
  if (store.kind === 'embedded') {
    process.stdout.write(
      json ? '{"store":"embedded","collections":[]}\n' : 'The embedded store makes its own indexes.\n',
    );
    return;
  }
  if (build === true) await buildMissingIndexes(store);
  const collections = await examineIndexes(store);
  const isWhole = collections.every(({ missing }) => missing.length === 0);
  if (json === true)
    process.stdout.write(`${JSON.stringify({ store: 'mongodb', ok: isWhole, collections })}\n`);
  else {
    for (const { collection, missing, unknown } of collections) {
      for (const name of missing) process.stdout.write(`missing  ${collection}.${name}\n`);
      for (const name of unknown) process.stdout.write(`unknown  ${collection}.${name} (left alone)\n`);
    }
    if (isWhole) process.stdout.write('All indexes that are needed are there.\n');
    else process.stderr.write('Build them: amity db indexes --build\n');
  }
  process.exitCode = isWhole ? 0 : 1;
}

async function check(config: Config, { json }: JsonFlag): Promise<void> {
  await using store = await openStore(config);
  const at = systemClock.now();
  const problems: string[] = [];
  let count = 0;
  const onProgress = showProgress('looked through');
  const summary = await summarize(store, { at, createDigest, onProgress }, (record) => {
    const found = checkConversation(record);
    count += found.length;
    problems.push(...found.slice(0, problemsShownMax - problems.length));
  });
  endProgress();
  if (json === true)
    process.stdout.write(`${JSON.stringify({ ok: count === 0, count, problems, ...summary })}\n`);
  else {
    for (const problem of problems) process.stdout.write(`BAD ${problem}\n`);
    if (count > problems.length) process.stdout.write(`... and ${count - problems.length} more\n`);
    const { users, conversations, messages } = summary;
    process.stdout.write(
      `${count === 0 ? 'ok' : `${count} problems`}: ${users} users, ${conversations} conversations, ${messages} messages\n`,
    );
  }
  process.exitCode = count === 0 ? 0 : 1;
}

async function copy(config: Config, flags: JsonFlag & { from: string; to: string }): Promise<void> {
  if (flags.from === flags.to) throw new Error('--from and --to are one store.');
  await using from = await openNamed(config, flags.from, false);
  await using to = await openNamed(config, flags.to, true);
  const copied = await copyStore({
    ...{ from, to, at: systemClock.now(), createDigest },
    onProgress: (progress) => showProgress(progress.phase === 'copy' ? 'copied' : 'compared')(progress),
  });
  endProgress();
  if (!copied.ok) throw new Error(`${flags.to}: ${copied.problem}.`);
  const { users, conversations, messages, checksum } = copied.summary;
  if (flags.json === true) process.stdout.write(`${JSON.stringify(copied.summary)}\n`);
  else
    process.stdout.write(
      `${users} users, ${conversations} conversations, ${messages} messages: both are the same (sha256 ${checksum})\n`,
    );
}

/** A store as the options name it. */
async function openNamed(config: Config, name: string, isCopyTarget: boolean): Promise<Store> {
  const { dataDirectory } = config;
  if (/^mongodb(\+srv)?:\/\//.test(name)) return openMongoStore({ uri: name, isCopyTarget });
  if (name === 'mongodb') {
    if (config.store.kind !== 'mongodb') throw new Error('MONGODB_URI names no database.');
    return openMongoStore({ ...config.store, isCopyTarget });
  }
  const file = name === 'embedded' ? embeddedFile({ dataDirectory }) : /^embedded:(.+)$/.exec(name)?.[1];
  if (file === undefined)
    throw new Error(`${name} is no store: embedded, embedded:<file>, mongodb, or a connection string.`);
  if (!isCopyTarget && !existsSync(file)) throw new Error(`There is no store at ${file}.`);
  return openEmbeddedStore({ file, isCopyTarget });
}

const createDigest = () => {
  const hash = createHash('sha256');
  return { update: (text: string) => hash.update(text), digest: () => hash.digest('hex') };
};

function showProgress(done: string) {
  return ({ conversations, messages }: CopyProgress): void => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${messages} messages of ${conversations} conversations ${done} `);
  };
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
}
