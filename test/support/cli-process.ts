/** Runs `amity` as a process of its own, with nothing of this process's environment that could change it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('./run-cli.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface CliProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Standard error so far. */
  readonly errors: () => string;
  /** The first match in standard error, there already or to come. @throws when the process ends without it. */
  seen(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly output: string;
  }>;
}

/** @param input what it reads from standard input; null: nothing */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input: string | null = null,
): CliProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...args], {
    cwd: root,
    env: { PATH, HOME, AMITY_LOG_FORMAT: 'json', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input ?? '');
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal, output }) as Awaited<CliProcess['ended']>,
  );
  const seen = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = errors.match(pattern);
      if (match !== null) return match;
      const isOver = await Promise.race([
        once(child.stderr, 'data').then(() => false),
        ended.then(() => true),
      ]);
      if (isOver && !pattern.test(errors)) throw new Error(`ended without ${pattern}:\n${errors}`);
    }
  };
  return {
    child,
    errors: () => errors,
    seen,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
