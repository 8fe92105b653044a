/** `amity`: the command line. Standard output carries data only; notes and logs go to standard error. */
import { Command, CommanderError } from 'commander';
import { type Config, ConfigError, loadConfig } from '../config/load.ts';
import { CodedError } from '../std/coded-error.ts';
import { createBenchCommand } from './bench-command.ts';
import { createChatCommand } from './chat-command.ts';
import { createDbCommand } from './db-command.ts';
import { createDoctorCommand } from './doctor-command.ts';
import { createModelCommand } from './model-command.ts';
import { createRankCommand } from './rank-command.ts';
import { createServeCommand } from './serve-command.ts';
import { createUserCommand } from './user-command.ts';
import { readVersion } from './version.ts';

/** Exit codes: 0 done, 1 failure, 2 wrong usage or settings. */
export async function main(argv: readonly string[]): Promise<number> {
  let config: Config | undefined;
  const settings = (): Config => {
    config ??= loadConfig(process.env, process.cwd());
    return config;
  };
  const program = new Command('amity')
    .description('The backend of an AI companion.')
    .version(readVersion())
    .showHelpAfterError('(amity --help lists the commands)')
    .exitOverride();
  program.addCommand(createServeCommand(settings));
  program.addCommand(createChatCommand(settings));
  program.addCommand(createDoctorCommand(settings));
  program.addCommand(
    createModelCommand({
      modelsDirectory: () => settings().modelsDirectory,
      hubUrl: () => settings().hubUrl,
    }),
  );
  program.addCommand(createRankCommand(settings));
  program.addCommand(createDbCommand(settings));
  program.addCommand(createUserCommand(settings));
  program.addCommand(createBenchCommand());
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\ndocs/settings.md lists every setting.\n`);
    return 2;
  }
  // What is meant for people is one sentence; anything else is a bug and shows where it happened.
  const isExpected =
    error instanceof CodedError || (error instanceof Error && (error.name === 'Error' || 'code' in error));
  process.stderr.write(
    `${isExpected ? (error as Error).message : String((error as Error).stack ?? error)}\n`,
  );
  return 1;
}
