#!/usr/bin/env -S node --max-semi-space-size=8
/**
 * The command `amity`. In a clone the sources are at hand: what is missing or older than they are is built first, so
 * that `npx amity doctor` works wherever it is typed. An installed package or image carries the build alone.
 *
 * The young generation, which Node would let grow to 16 MB a half: collecting it stops the server for as long as much in it is still in use.
 */
import { existsSync } from 'node:fs';

if (existsSync(new URL('../tsconfig.build.json', import.meta.url))) {
  const { ensureBuilt } = await import('../scripts/set-up/verbs.js');
  const code = await ensureBuilt();
  if (code !== 0) process.exit(code);
}
const { main } = await import('../dist/src/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
