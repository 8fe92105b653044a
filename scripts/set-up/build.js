import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { at, readOr } from './root.js';
import { runTool, tools } from './run-tool.js';
import { SetUpError, saying } from './say.js';

/** What the two builds read; anything else in these folders (model files, results) does not count. */
const sourceTypes = new Set(['.ts', '.tsx', '.js', '.json', '.css', '.html', '.svg', '.webmanifest']);
const notSources = new Set(['node_modules', 'dist']);

const parts = [
  {
    name: 'the server',
    output: 'dist/src/cli/main.js',
    stamp: 'dist/.amity-build',
    sources: ['src', 'workers', 'models', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    tool: tools.tsc,
    args: ['-p', 'tsconfig.build.json'],
  },
  {
    name: 'the page',
    output: 'web/dist/index.html',
    stamp: 'web/dist/.amity-build',
    sources: ['web', 'src/client', 'src/protocol', 'tsconfig.json', 'package-lock.json'],
    tool: tools.vite,
    args: ['build', 'web', '--logLevel', 'warn'],
  },
];

export function hasBuild() {
  return staleParts().length === 0;
}

/** Builds what differs from its sources. */
export async function ensureBuild() {
  const stale = staleParts();
  if (stale.length === 0) return;
  await saying(`building ${stale.map(({ name }) => name).join(' and ')}`, async () => {
    // Both run to their end, or the lock would be given up while one still writes.
    const ends = await Promise.allSettled(stale.map((part) => build(part)));
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
}

function staleParts() {
  return parts
    .map((part) => ({ ...part, stampNow: hashSources(part.sources) }))
    .filter((part) => readOr(at(part.stamp)) !== part.stampNow || !existsSync(at(part.output)));
}

async function build({ name, tool, args, stamp, stampNow }) {
  const result = await runTool(tool, args, { logName: `set-up-build-${name.replace('the ', '')}.log` });
  if (result.code !== 0) {
    throw new SetUpError(
      `Building ${name} failed; mend what the lines below name (all of them: ${result.logPath}) and run the command again.`,
      result.tail,
    );
  }
  writeFileSync(at(stamp), stampNow);
}

/** Contents, not times: a checkout touches every file and changes none. */
function hashSources(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hashPath(path, hash);
  return hash.digest('hex');
}

function hashPath(path, hash) {
  if (sourceTypes.has(extname(path))) {
    const text = readOr(at(path));
    if (text !== undefined) hash.update(`${path}\0${text}\0`);
    return;
  }
  if (!existsSync(at(path))) return;
  const entries = readdirSync(at(path), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (notSources.has(entry.name)) continue;
    if (entry.isDirectory() || sourceTypes.has(extname(entry.name))) hashPath(`${path}/${entry.name}`, hash);
  }
}
