#!/usr/bin/env node
/**
 * The command `amity`. In a clone the sources are at hand: what is missing or older than they are is built first, so
 * that `npx amity doctor` works wherever it is typed. An installed package or image carries the build alone.
 */
import { existsSync } from 'node:fs';

if (existsSync(new URL('../tsconfig.build.json', import.meta.url))) {
  const { ensureBuilt } = await import('../scripts/set-up/verbs.js');
  const code = await ensureBuilt();
  if (code !== 0) process.exit(code);
}
const { main } = await import('../dist/src/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
