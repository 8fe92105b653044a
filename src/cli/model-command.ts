/** `amity model`: fetch, import, list and check models. Data on standard output; progress and notes on standard error. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { WeightName } from '../../models/convert.ts';
import { importModel } from '../../models/import.ts';
import type { PulledModel } from '../../models/install.ts';
import { pullModel } from '../../models/pull.ts';
import { readRegistry } from '../../models/registry.ts';
import { ensureDirectory } from '../data-directory.ts';
import { type Manifest, MODEL_NAME_PATTERN, readManifest, verifyFiles } from '../onnx/manifest.ts';
import { openProgressDisplay } from './progress-display.ts';

export interface ModelCommandDeps {
  /** Read when a command runs, not when it is made: settings may be wrong, and `--help` must work all the same. */
  readonly modelsDirectory: () => string;
  readonly hubUrl?: () => string | undefined;
}

interface PullFlags {
  readonly force?: boolean;
}

interface ImportFlags {
  readonly name: string;
  readonly weights?: WeightName;
  readonly layout?: Manifest['layout'];
  readonly licence?: string;
}

export function createModelCommand(deps: ModelCommandDeps): Command {
  const model = new Command('model')
    .description('fetch, import, list and check models')
    // Inherited by the commands below, so that all end through the caller and not with process.exit.
    .exitOverride();
  model
    .command('pull')
    .argument('[name]', 'a model of the registry; the default one when left out')
    .option('--force', 'fetch it again, also when it is there and undamaged')
    .description('fetch a model and convert it')
    .action((name: string | undefined, flags: PullFlags, command: Command) =>
      pull(deps, { name, flags, command }),
    );
  model
    .command('import')
    .argument(
      '<path>',
      'a Hugging Face folder (Llama, SmolLM2, Qwen2, GPT-2), a GGUF file (Llama, Qwen2), or an exported decoder (.onnx) beside its config.json',
    )
    .requiredOption('--name <name>', 'what to call it')
    .addOption(
      new Option('--weights <format>', 'how to store the weights: 8-bit, or for GPUs half precision').choices(
        ['nb8', 'fp16', 'fp32'],
      ),
    )
    .addOption(
      new Option('--layout <layout>', 'd5 for processors (the default), export for WebGPU').choices([
        'd5',
        'export',
      ]),
    )
    .option('--licence <id>', 'its licence, as an SPDX identifier')
    .description('make a model of a checkpoint or graph of your own')
    .action((path: string, flags: ImportFlags, command: Command) =>
      importOwn(deps, { path, flags, command }),
    );
  model
    .command('list')
    .option('--json', 'as JSON')
    .description('list the models that are here, and those that can be pulled')
    .action((flags: { json?: boolean }) => list(deps, flags.json === true));
  model
    .command('info')
    .argument('<name>', 'a model that is here')
    .option('--json', 'the whole manifest, as JSON')
    .description('say what a model is and where it is from')
    .action((name: string, flags: { json?: boolean }, command: Command) =>
      info(deps, { name: checkName(name, command), json: flags.json === true }),
    );
  model
    .command('verify')
    .argument('<name>', 'a model that is here')
    .option('--json', 'as JSON')
    .description('compare all files of a model with their checksums')
    .action((name: string, flags: { json?: boolean }, command: Command) =>
      verify(deps, { name: checkName(name, command), json: flags.json === true }),
    );
  return model;
}

async function pull(
  deps: ModelCommandDeps,
  { name, flags, command }: { name: string | undefined; flags: PullFlags; command: Command },
): Promise<void> {
  await checkPullable(name, command);
  const modelsDirectory = deps.modelsDirectory();
  ensureDirectory(modelsDirectory, 'MODELS_DIR');
  using display = openProgressDisplay(process.stderr);
  const onProgress = display.show;
  const hubUrl = deps.hubUrl?.();
  display.finish(outcome(await pullModel({ name, modelsDirectory, hubUrl, force: flags.force, onProgress })));
}

async function importOwn(
  deps: ModelCommandDeps,
  { path, flags, command }: { path: string; flags: ImportFlags; command: Command },
): Promise<void> {
  const name = checkName(flags.name, command);
  const modelsDirectory = deps.modelsDirectory();
  ensureDirectory(modelsDirectory, 'MODELS_DIR');
  using display = openProgressDisplay(process.stderr);
  const { weights, layout, licence } = flags;
  const onProgress = display.show;
  display.finish(
    outcome(await importModel({ from: path, name, modelsDirectory, weights, layout, licence, onProgress })),
  );
}

function outcome({ manifest, directory, wasPresent }: PulledModel): string {
  const size = megabytes(manifest);
  return wasPresent
    ? `${manifest.name} is here already and undamaged (${directory}, ${size}).`
    : `${manifest.name} is ready (${directory}, ${size}).`;
}

async function list(deps: ModelCommandDeps, json: boolean): Promise<void> {
  const directory = deps.modelsDirectory();
  const registry = await readRegistry();
  const present = await presentModels(directory);
  const names = new Set([...present.keys(), ...registry.models.map((entry) => entry.name)]);
  const rows = [...names].sort().map((name) => {
    const manifest = present.get(name);
    const entry = registry.models.find((candidate) => candidate.name === name);
    const state = manifest === undefined ? 'not pulled' : manifest === null ? 'damaged' : 'present';
    return {
      name,
      state,
      isDefault: name === registry.default,
      licence: manifest?.licence ?? entry?.licence ?? null,
      weights: manifest?.weights ?? entry?.weights ?? null,
      bytes: manifest ? totalBytes(manifest) : null,
    };
  });
  if (json) return printJson(rows);
  for (const row of rows) {
    const size = row.bytes === null ? '-' : `${Math.round(row.bytes / 1e6)} MB`;
    const mark = row.isDefault ? ' (default)' : '';
    print(
      `${`${row.name}${mark}`.padEnd(36)} ${row.state.padEnd(11)} ${(row.weights ?? '-').padEnd(5)} ${size.padStart(8)}  ${row.licence ?? '-'}`,
    );
  }
}

/** Null stands for a directory whose manifest can not be read. */
async function presentModels(directory: string): Promise<ReadonlyMap<string, Manifest | null>> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory() && MODEL_NAME_PATTERN.test(entry.name))
    .map((entry) => entry.name);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readManifest(join(directory, name)).catch(() => null)] as const),
    ),
  );
}

async function info(deps: ModelCommandDeps, { name, json }: { name: string; json: boolean }): Promise<void> {
  const directory = join(deps.modelsDirectory(), name);
  const manifest = await readManifest(directory);
  if (json) return printJson(manifest);
  const { shape, source, tokens } = manifest;
  const revision = source.revision === undefined ? '' : ` at ${source.revision}`;
  const facts = {
    name: manifest.name,
    directory,
    size: megabytes(manifest),
    family: `${manifest.family}, ${shape.layers} layers, ${shape.heads} heads on ${shape.kvHeads}, hidden size ${shape.hiddenSize}`,
    vocabulary: `${shape.vocabSize} tokens; ends at ${tokens.eos.join(', ')}`,
    context: `${shape.contextTokensMax} tokens`,
    weights: `${manifest.weights}, layout ${manifest.layout}, converter version ${manifest.converterVersion}`,
    source: `${source.kind} ${source.reference}${revision}`,
    licence: manifest.licence ?? 'not stated by the source',
    made: manifest.createdAt,
  };
  for (const [key, value] of Object.entries(facts)) print(`${key.padEnd(11)} ${value}`);
}

async function verify(
  deps: ModelCommandDeps,
  { name, json }: { name: string; json: boolean },
): Promise<void> {
  const directory = join(deps.modelsDirectory(), name);
  const manifest = await readManifest(directory);
  const problems = await verifyFiles(directory, manifest);
  if (json) printJson({ name, ok: problems.length === 0, problems });
  else if (problems.length === 0) print(`${name}: all files are as they were made.`);
  for (const problem of json ? [] : problems) process.stderr.write(`${problem.message}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

async function checkPullable(name: string | undefined, command: Command): Promise<void> {
  const { models } = await readRegistry();
  if (name === undefined || models.some((entry) => entry.name === name)) return;
  const known = models.map((entry) => entry.name).join(', ');
  command.error(
    `There is no model "${name}" to pull; known: ${known}. Your own: amity model import <path> --name <name>`,
    {
      exitCode: 2,
    },
  );
}

/** Names become directories, so nothing else may pass. */
function checkName(name: string, command: Command): string {
  if (MODEL_NAME_PATTERN.test(name)) return name;
  return command.error(`"${name}" is not a model name: small letters, digits, ".", "_" and "-" only`, {
    exitCode: 2,
  });
}

const totalBytes = (manifest: Manifest) =>
  Object.values(manifest.files).reduce((sum, file) => sum + (file?.bytes ?? 0), 0);
const megabytes = (manifest: Manifest) => `${Math.round(totalBytes(manifest) / 1e6)} MB`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}
