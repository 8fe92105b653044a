import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { at, readOr } from './root.js';
import { run } from './run-tool.js';
import { SetUpError, saying } from './say.js';

const stampPath = at('node_modules/.amity-set-up');

/** Whether node_modules is what package-lock.json names, as far as the last set-up knows. */
export function hasDependencies() {
  return readOr(stampPath) === stampOf(readLockFile());
}

/** Installs what package-lock.json names, unless it is there already. */
export async function ensureDependencies() {
  if (hasDependencies()) return;
  const lockText = readLockFile();
  if (!isInstalled(lockText)) await saying('installing dependencies (npm ci)', install);
  writeFileSync(stampPath, stampOf(lockText));
}

function readLockFile() {
  const text = readOr(at('package-lock.json'));
  if (text !== undefined) return text;
  throw new SetUpError('package-lock.json is missing: restore it with `git checkout package-lock.json`.');
}

function stampOf(lockText) {
  const hash = createHash('sha256').update(lockText);
  const node = process.versions.node.split('.')[0];
  return `${hash.digest('hex')} node-${node} ${process.platform}-${process.arch}`;
}

/**
 * Whether somebody's own `npm ci` did the work already: npm leaves the list of what it installed beside the packages.
 * Packages of other platforms are optional and not in that list.
 */
function isInstalled(lockText) {
  const text = readOr(at('node_modules/.package-lock.json'));
  if (text === undefined) return false;
  const wanted = JSON.parse(lockText).packages;
  const installed = JSON.parse(text).packages;
  const fits = ({ os, cpu }) =>
    (os === undefined || os.includes(process.platform)) && (cpu === undefined || cpu.includes(process.arch));
  return (
    Object.entries(wanted).every(([path, { optional }]) => path === '' || optional || path in installed) &&
    Object.entries(installed).every(
      ([path, entry]) => wanted[path]?.integrity === entry.integrity && fits(entry),
    )
  );
}

async function install() {
  // Under `npm start` this is the npm that runs us; else the one on the path, which is a script on Windows.
  const npm = process.env.npm_execpath;
  const byNode = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = await run(byNode ? process.execPath : 'npm', byNode ? [npm, ...args] : args, {
    logName: 'set-up-npm-ci.log',
    shell: !byNode && process.platform === 'win32',
    // The runtime's install script only fetches CUDA files; npm 10 runs it whatever package.json allows.
    env: { ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip' },
  });
  if (result.code === 0) return;
  throw new SetUpError(
    `Installing the dependencies failed; ${remedy(result.output)} All of npm's output: ${result.logPath}`,
    result.tail,
  );
}

function remedy(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i.test(output)) {
    return 'npm cannot reach its registry: check the network and proxy (`npm ping`), then run the command again.';
  }
  if (/ENOSPC/.test(output)) return 'the disk is full: free about 1 GB, then run the command again.';
  if (/EACCES|EPERM/.test(output)) {
    return 'files here belong to somebody else: make this folder yours (`chown -R "$(id -un)" .`) and run the command again.';
  }
  if (/npm: not found|spawn npm ENOENT/.test(output)) {
    return 'npm is missing: install it with Node from https://nodejs.org.';
  }
  return 'see the lines below, then run the command again.';
}
