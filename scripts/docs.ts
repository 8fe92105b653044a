/**
 * `npm run docs` writes the tables of the documentation from the code; with `--check` it names those that differ and
 * writes nothing. What it writes stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { envExample, generatedParts } from './docs/tables.ts';

const root = new URL('../', import.meta.url);
/** Every page that holds a table, and the tables that it must hold. */
const pages = {
  'docs/settings.md': ['settings'],
  'docs/privacy.md': ['inventory'],
  'docs/protocol.md': ['client events', 'server events', 'shapes', 'errors', 'limits'],
} as const;

const checking = process.argv.includes('--check');
const problems: string[] = [];

function read(path: string): string {
  try {
    return readFileSync(new URL(path, root), 'utf8');
  } catch {
    return '';
  }
}

function put(path: string, text: string): void {
  if (read(path) === text) return;
  if (checking) problems.push(`${path} differs from the code`);
  else writeFileSync(new URL(path, root), text);
}

function withPart(page: string, text: string, name: string): string {
  const start = `<!-- generated: ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) {
    problems.push(`${page} lacks the lines "${start}" and "${end}"`);
    return text;
  }
  return `${text.slice(0, from + start.length)}\n\n${generatedParts[name]?.()}\n\n${text.slice(to)}`;
}

for (const [page, names] of Object.entries(pages)) {
  put(
    page,
    names.reduce((text, name) => withPart(page, text, name), read(page)),
  );
}
put('.env.example', envExample());
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
