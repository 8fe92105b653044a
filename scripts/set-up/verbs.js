import { pathToFileURL } from 'node:url';
import { ensureBuild, hasBuild } from './build.js';
import { ensureDependencies, hasDependencies } from './dependencies.js';
import { locked } from './lock.js';
import { ensureModel } from './model.js';
import { at, root } from './root.js';
import { SetUpError, say, seconds } from './say.js';

const PARENT_CHECK_MS = 500;
const USAGE = 'Usage: node scripts/set-up.js start|test|build [-- arguments]';

/** @returns the exit code of the process. */
export async function runVerb(argv) {
  const [verb, ...rest] = argv;
  const args = rest[0] === '--' ? rest.slice(1) : rest;
  // Relative directories in the settings are meant from here, wherever the command was given.
  process.chdir(root);
  return reported(async () => {
    if (verb === 'build') return prepare();
    if (verb === 'start') return start(args);
    if (verb !== 'test') {
      say(USAGE);
      return 2;
    }
    if (!hasDependencies()) await locked(ensureDependencies);
    const { runTests } = await import('./run-tests.js');
    return runTests(args);
  });
}

/** Dependencies and build, for `bin/amity.js`: silent when there is nothing to do. Returns an exit code. */
export async function ensureBuilt() {
  return reported(async () => {
    await ensureBoth();
    return 0;
  });
}

async function prepare() {
  const startedAt = performance.now();
  const worked = await ensureBoth();
  say(`${worked ? 'ready' : 'dependencies and build are up to date'} (${seconds(startedAt)})`);
  return 0;
}

/** @returns whether there was anything to do. */
async function ensureBoth() {
  if (hasDependencies() && hasBuild()) return false;
  await locked(async () => {
    await ensureDependencies();
    await ensureBuild();
  });
  return true;
}

async function start(args) {
  await prepare();
  if (!(await ensureModel())) return 1;
  stopWithNpm();
  return runCli(['serve', ...args]);
}

/**
 * A SIGTERM for `npm start` ends npm and the shell that it keeps between itself and its script; the script never hears
 * of it. What it sees is another parent, so it asks itself to stop then.
 */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** In this process, so that signals and the exit code need no passing on. */
async function runCli(argv) {
  const { main } = await import(pathToFileURL(at('dist/src/cli/main.js')).href);
  return main(argv);
}

async function reported(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    if (error.detail !== '') process.stderr.write(`${error.detail}\n`);
    say(error.message);
    return 1;
  }
}
