/**
 * What a test needs from outside the repository (a browser, a model, a server) is either there, or its absence is said
 * aloud at the end of the run, or, with AMITY_TEST_REQUIRE=all, it fails the file that asked.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One JSON line per skip: the test processes append, the main process prints and removes it (global-setup.ts). */
export const skipListPath = fileURLToPath(new URL('../.cache/skipped.jsonl', import.meta.url));

/**
 * @param name what is needed, as a noun: 'chromium', 'the default model'.
 * @param reason why it is missing and how to get it, as one sentence.
 * @returns `available`, for `describe.runIf(...)`.
 * @throws when it is missing and AMITY_TEST_REQUIRE=all; vitest then fails the test file.
 */
export function requireOrSkip(name: string, available: boolean, reason: string): boolean {
  if (available) return true;
  if (process.env['AMITY_TEST_REQUIRE'] === 'all') {
    throw new Error(`${name} is required (AMITY_TEST_REQUIRE=all) and missing: ${reason}`);
  }
  mkdirSync(dirname(skipListPath), { recursive: true });
  appendFileSync(skipListPath, `${JSON.stringify({ name, reason })}\n`);
  return false;
}
