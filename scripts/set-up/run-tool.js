import { spawn } from 'node:child_process';
import { createWriteStream, rmSync } from 'node:fs';
import { at, root } from './root.js';

const TAIL_LINES = 15;

/** Programs of devDependencies, started with this very Node: no shell, no `.cmd` on Windows, no npx. */
export const tools = {
  biome: at('node_modules/@biomejs/biome/bin/biome'),
  tsc: at('node_modules/typescript/bin/tsc'),
  vite: at('node_modules/vite/bin/vite.js'),
  depcruise: at('node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
  knip: at('node_modules/knip/bin/knip.js'),
  tsx: at('node_modules/tsx/dist/cli.mjs'),
  vitest: at('node_modules/vitest/vitest.mjs'),
};

/** Runs `node <script> ...args` and collects what it prints, both streams in their order. Never rejects. */
export function runTool(script, args, options = {}) {
  return run(process.execPath, [script, ...args], options);
}

/**
 * @param options.logName keeps all output of a failure in the clone under this name (git ignores `*.log`).
 * @returns `{ code, output, tail, logPath }`; a program that cannot be started or died of a signal has code 1.
 */
export function run(command, args, options = {}) {
  const logPath = options.logName === undefined ? undefined : at(options.logName);
  const log = logPath === undefined ? undefined : createWriteStream(logPath);
  // A log that cannot be written must not hide the failure that it is about.
  log?.on('error', () => undefined);
  return new Promise((resolve) => {
    const chunks = [];
    const take = (chunk) => {
      chunks.push(chunk);
      log?.write(chunk);
    };
    const end = (code) => {
      log?.end(() => {
        if (code === 0) rmSync(logPath, { force: true });
      });
      const output = Buffer.concat(chunks).toString('utf8').trimEnd();
      resolve({ code, output, tail: output.split('\n').slice(-TAIL_LINES).join('\n'), logPath });
    };
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      shell: options.shell ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      take(Buffer.from(`${error.message}\n`));
      end(1);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

/** Runs a tool on this terminal, interrupts and all. Resolves with its exit code. */
export function runShown(script, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    // Ctrl-C reaches the child through the terminal; a SIGTERM to this process alone is handed on.
    const handOn = () => child.kill('SIGTERM');
    const ignore = () => undefined;
    process.on('SIGTERM', handOn);
    process.on('SIGINT', ignore);
    const end = (code) => {
      process.off('SIGTERM', handOn);
      process.off('SIGINT', ignore);
      resolve(code);
    };
    child.on('error', () => end(1));
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
