import { existsSync, readFileSync, rmSync } from 'node:fs';
import { skipListPath } from './require-or-skip.ts';

/** Runs once, before all projects. */
export function setup(): void {
  rmSync(skipListPath, { force: true });
}

/** Runs once, after all projects: what was skipped for want of something is said where it is seen. */
export function teardown(): void {
  if (!existsSync(skipListPath)) return;
  const lines = new Set(readFileSync(skipListPath, 'utf8').trim().split('\n'));
  for (const line of lines) {
    const { name, reason } = JSON.parse(line) as { name: string; reason: string };
    console.error(`\n!!! SKIPPED: tests that need ${name}. ${reason}`);
  }
  rmSync(skipListPath, { force: true });
}
