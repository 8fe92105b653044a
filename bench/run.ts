/**
 * One entrance for all measurements: `npm run bench -- <name> [options]`, or `npx amity bench <name> [options]`.
 * Each is a file of this folder that says at its top what it measures, and writes bench/results/<name>.json.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Files of this folder that are parts of measurements. */
const parts: ReadonlySet<string> = new Set([
  'checkpoint',
  'machine',
  'meaningless',
  'plot',
  'plot-bars',
  'run',
  'server-process',
]);

const names = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => !parts.has(name));

const [, script = '', name, ...options] = process.argv;
if (name === undefined || !names.includes(name)) {
  if (name !== undefined && name !== '--help') console.error(`There is no measurement "${name}".\n`);
  console.error('Usage: npm run bench -- <name> [--json] [options]\n');
  for (const each of names) console.error(`  ${each.padEnd(10)} ${firstSentence(each)}`);
  console.error('\nThe options of each are named at the top of bench/<name>.ts.');
  process.exitCode = name === '--help' ? 0 : 2;
} else {
  process.argv = [process.argv[0] ?? '', script, ...options];
  await import(`./${name}.ts`);
}

function firstSentence(measurement: string): string {
  const text = readFileSync(new URL(`${measurement}.ts`, import.meta.url), 'utf8');
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  const words = comment.replaceAll(/\s*\n \* ?/g, ' ').trim();
  return /^.*?[.:](?=\s|$)/.exec(words)?.[0].replace(/:$/, '.') ?? words;
}
