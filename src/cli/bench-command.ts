import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

/** Measurements are part of a clone; a built package or image has none. */
const candidates = ['../../bench/run.ts', '../../../bench/run.ts'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** `amity bench`: the measurements of bench/, on this machine. */
export function createBenchCommand(): Command {
  return new Command('bench')
    .argument('[measurement...]', 'its name and options, such as --json; without a name they are listed')
    .allowUnknownOption()
    .helpOption(false)
    .description('measure this machine (engine, ladder, kernel, prefix and more)')
    .action(async (words: readonly string[]) => {
      const script = candidates.find(existsSync);
      if (script === undefined) {
        throw new Error(
          'The measurements are not part of this installation: run this in a clone of the repository.',
        );
      }
      // Found from here, not from where the command was given.
      const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...words], {
        stdio: 'inherit',
      });
      const [code] = (await once(child, 'close')) as [number | null];
      process.exitCode = code ?? 1;
    });
}
