#!/usr/bin/env node
/** `npm run check`: format and lint, types, borders, dead code, documentation drift. Nothing is written. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { at } from './set-up/root.js';
import { runTool, tools } from './set-up/run-tool.js';
import { seconds } from './set-up/say.js';

/** A broken tree can yield thousands of lines; the first ones say where to begin. */
const LINES_SHOWN_MAX = 120;

/** The slowest first, so that the others run beside it. */
const checks = [
  { name: 'types', tool: tools.tsc, args: ['--noEmit', '-p', '.'] },
  { name: 'types of the page', tool: tools.tsc, args: ['--noEmit', '-p', 'web'], when: 'web/tsconfig.json' },
  {
    name: 'borders',
    tool: tools.depcruise,
    args: [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
      'src',
      'workers',
      'models',
      'web',
    ],
    remedy: 'the rules are in .dependency-cruiser.cjs, the reasons in ARCHITECTURE.md',
  },
  { name: 'dead code', tool: tools.knip, args: ['--no-progress'] },
  {
    name: 'format and lint',
    tool: tools.biome,
    args: ['ci', '--error-on-warnings', '--diagnostic-level=warn', '--colors=off'],
    remedy: '`npm run format` mends most of it',
  },
  {
    name: 'documentation drift',
    tool: tools.tsx,
    args: ['scripts/docs.ts', '--check'],
    remedy: '`npm run docs` writes the tables',
  },
];

/** Runs all checks, as many at once as there are cores. Resolves with the number that failed. */
export async function runChecks() {
  const due = checks.filter(({ when }) => when === undefined || existsSync(at(when)));
  const waiting = [...due];
  const results = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results.push(await runCheck(next));
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), due.length) }, worker));
  const failures = results.filter(({ code }) => code !== 0);
  for (const { name, output, remedy } of failures) {
    console.log(`\n--- ${name}${remedy === undefined ? '' : ` (${remedy})`}\n${shorten(output)}`);
  }
  return failures.length;
}

function shorten(output) {
  const lines = output.split('\n');
  const more = lines.length - LINES_SHOWN_MAX;
  return more <= 0 ? output : [...lines.slice(0, LINES_SHOWN_MAX), `... and ${more} more lines`].join('\n');
}

async function runCheck(check) {
  const startedAt = performance.now();
  const result = await runTool(check.tool, check.args, { env: { NO_COLOR: '1', FORCE_COLOR: '0' } });
  console.log(`${result.code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds(startedAt)})`);
  return { ...check, ...result };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = (await runChecks()) === 0 ? 0 : 1;
}
