/** Writes border cases into a directory of their own and lets dependency-cruiser judge them by the rules of this repository. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractRules from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import type { BorderCase } from './border-cases.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A rule that was broken, and where. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

const { forbidden, options } = await extractRules(join(root, '.dependency-cruiser.cjs'));

export const ruleNames: readonly string[] = (forbidden ?? []).map(({ name }) => name ?? '');

/** Judges the folders of `baseDir` that exist. */
export async function violationsOf(baseDir: string): Promise<readonly Violation[]> {
  const folders = ['src', 'workers', 'models', 'web'].filter((folder) => existsSync(join(baseDir, folder)));
  const cruiseOptions: ICruiseOptions = {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: forbidden ?? [] },
  };
  const tsConfig = extractTsConfig(join(root, 'tsconfig.json'));
  const { output } = await cruise(folders, cruiseOptions, {}, { tsConfig });
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => ({
    rule: rule.name,
    from,
    to,
  }));
}

/** The violations of a tree that holds the cases and, as stubs, whatever they import. */
export async function judge(cases: readonly BorderCase[]): Promise<readonly Violation[]> {
  const directory = mkdtempSync(join(tmpdir(), 'amity-borders-'));
  try {
    const files = new Map(
      cases.flatMap(({ file, source, others }) => [[file, source], ...Object.entries(others ?? {})]),
    );
    for (const [path, source] of [...files]) addStubs(files, path, source);
    for (const [path, source] of files) write(join(directory, path), source);
    write(join(directory, 'package.json'), JSON.stringify(packageOf(files)));
    copyFileSync(join(root, 'tsconfig.json'), join(directory, 'tsconfig.json'));
    return await violationsOf(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function addStubs(files: Map<string, string>, path: string, source: string): void {
  for (const [, specifier = ''] of source.matchAll(/from '([^']+)'/g)) {
    if (specifier.startsWith('node:') || specifier.endsWith('/gone.ts')) continue;
    if (specifier.startsWith('.')) {
      const target = join(dirname(path), specifier);
      // Importing something keeps a stub from being an orphan of its own.
      if (!files.has(target)) files.set(target, 'export type A = number;');
      continue;
    }
    files.set(`node_modules/${specifier}/index.js`, 'export {};');
    files.set(
      `node_modules/${specifier}/package.json`,
      JSON.stringify({ name: specifier, version: '1.0.0', type: 'module', exports: './index.js' }),
    );
  }
}

function packageOf(files: ReadonlyMap<string, string>): object {
  const names = [...files.keys()].flatMap(
    (path) => /^node_modules\/(.+)\/package\.json$/.exec(path)?.[1] ?? [],
  );
  const versions = (of: readonly string[]) => Object.fromEntries(of.map((name) => [name, '1.0.0']));
  return {
    type: 'module',
    dependencies: versions(names.filter((name) => name !== 'dev-only')),
    devDependencies: versions(['dev-only']),
  };
}
