import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './root.js';
import { SetUpError, say } from './say.js';

const WAIT_MS = 15 * 60_000;
const RETRY_MS = 100;

/** One set-up per clone: two that install or build at once would tread on each other. */
const lockPath = join(
  tmpdir(),
  `amity-set-up-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`,
);

/** Runs `work` as the only set-up of this clone; a lock whose owner is gone is taken over. */
export async function locked(work) {
  const deadline = performance.now() + WAIT_MS;
  let waiting = false;
  while (!tryLock()) {
    if (performance.now() > deadline) {
      throw new SetUpError(`Another set-up of this clone does not end; stop it or remove ${lockPath}.`);
    }
    if (!waiting) say('waiting for another set-up of this clone');
    waiting = true;
    await delay(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lockPath, { force: true });
  }
}

function tryLock() {
  try {
    writeFileSync(lockPath, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!ownerLives()) rmSync(lockPath, { force: true });
  return false;
}

function ownerLives() {
  try {
    const pid = Number(readFileSync(lockPath, 'utf8'));
    // Empty for an instant after it was made: its owner is about to write.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
