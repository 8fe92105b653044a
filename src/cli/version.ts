import { readFileSync } from 'node:fs';

/** The version of the package, from its package.json. */
export function readVersion(): string {
  const depth = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json';
  return (JSON.parse(readFileSync(new URL(depth, import.meta.url), 'utf8')) as { version: string }).version;
}
