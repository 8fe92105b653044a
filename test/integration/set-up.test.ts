/** The set-up script and the command, run as a person runs them. The build that they need is made by the first of them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

function runNode(args: readonly string[], cwd = root): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], { cwd }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

const setUp = (...args: string[]) => runNode([join(root, 'scripts/set-up.js'), ...args]);

describe('the set-up', () => {
  beforeAll(async () => {
    expect(await setUp('build')).toMatchObject({ code: 0 });
  });

  it('does nothing, quickly, when everything is there', async () => {
    const { code, stdout, stderr } = await setUp('build');
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^amity: dependencies and build are up to date \(\d+\.\d s\)\n$/);
  });

  it('refuses an unknown verb with its usage and exit code 2', async () => {
    const { code, stderr } = await setUp('strat');
    expect(code).toBe(2);
    expect(stderr).toContain('start|test|build');
  });

  it('leaves standard output to the command, from any directory', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'amity-set-up-'));
    try {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      const outcome = await runNode([join(root, 'bin/amity.js'), '--version'], elsewhere);
      expect(outcome).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('hands on the exit code of the command', async () => {
    expect(await runNode([join(root, 'bin/amity.js'), 'srve'])).toMatchObject({ code: 2, stdout: '' });
  });
});
