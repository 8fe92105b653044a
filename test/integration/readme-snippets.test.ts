/** The programs in the README do what it says, on links that break. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const linesMax = 30;
const sdkBytesMax = 15 * 1024;

let server: TestServer;
let scratch: string;
beforeAll(async () => {
  server = await startTestServer();
  scratch = await mkdtemp(join(tmpdir(), 'amity-snippet-'));
  // As in the clone.
  await writeFile(join(scratch, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});

/** The first program below a heading. */
async function snippetBelow(heading: string): Promise<string> {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const snippet = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`## ${heading}`)))?.[1];
  if (snippet === undefined) throw new Error(`There is no program below "${heading}".`);
  return snippet;
}

/** Runs a program as a file of the clone would run. @returns what it wrote. */
async function run(program: string, env: Record<string, string> = {}): Promise<string> {
  const file = join(scratch, 'program.ts');
  const absolute = program
    .replaceAll(/from '(\.\/[^']+)'/g, (_, path) => `from '${pathToFileURL(join(root, path))}'`)
    .replaceAll("from 'socket.io-client'", `from '${import.meta.resolve('socket.io-client')}'`);
  await writeFile(file, absolute);
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  expect([code, errors]).toEqual([0, '']);
  return output;
}

it('a program without the SDK writes a reply', async () => {
  const program = await snippetBelow('Talk to it from a program');
  expect(await run(program.replaceAll('http://localhost:3000', server.url))).toMatch(/^\S.*\n$/s);
});

it('an app sends, streams, survives cuts and reacts, in thirty lines', async () => {
  const program = await snippetBelow('Talk to it from an app');
  expect(program.trimEnd().split('\n').length).toBeLessThanOrEqual(linesMax);
  await using proxy = await openTcpProxy(server.url);
  proxy.cutAt(/session:ready/);
  proxy.cutAt(/messageId.*generationId.*duplicate/);
  proxy.cutAt(/reply:delta/);
  const output = await run(program, { AMITY_URL: proxy.url });
  expect(output).toBe('abcdefghijklmnopqrstuvwxyz');
  expect(proxy.connections()).toBeGreaterThanOrEqual(3);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^amity_reactions_total\{kind="up"\} 1$/m);
});

it('the SDK is small beside socket.io-client', async () => {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: 'src/client/amity-client.ts', formats: ['es'] },
      rollupOptions: { external: ['socket.io-client'] },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  const code = result !== undefined && 'output' in result ? result.output[0].code : '';
  expect(code).toContain('conversation:open');
  expect(gzipSync(code).length).toBeLessThanOrEqual(sdkBytesMax);
});
