/** `amity doctor`: what is configured, what can be reached, and which model runs where. */
import { existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { ensureDirectory } from '../data-directory.ts';
import { readManifest, verifyFiles } from '../onnx/manifest.ts';
import { openEmbeddedStore } from '../storage/embedded/embedded-store.ts';
import { openMongoStore } from '../storage/mongo/mongo-store.ts';
import { type MongoStoreOptions, nameOfServer } from '../storage/mongo/open-connection.ts';

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Below this the store and a model conversion get into trouble. */
const freeBytesMin = 1e9;

export function createDoctorCommand(settings: () => Config): Command {
  return new Command('doctor')
    .description('say what is configured, reachable, and which model runs where')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine(settings());
      const ok = findings.every((finding) => finding.ok);
      if (json === true) process.stdout.write(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
      else process.stdout.write(`${findings.map(toLine).join('\n')}\n`);
      process.exitCode = ok ? 0 : 1;
    });
}

const toLine = ({ name, ok, detail }: Finding) => `${ok ? 'ok  ' : 'BAD '} ${name.padEnd(10)} ${detail}`;

async function examine(config: Config): Promise<Finding[]> {
  const { auth, server, pool } = config;
  return [
    { name: 'node', ok: true, detail: `${process.version} on ${process.platform}-${process.arch}` },
    {
      name: 'machine',
      ok: true,
      detail: `${availableParallelism()} cores, ${gigabytes(freemem())} memory free; ${pool.workers} worker(s) x ${pool.threads} thread(s), ${pool.rowsMax} rows a batch`,
    },
    await examineData(config),
    await examineStore(config),
    await examineModel(config),
    {
      name: 'tokens',
      ok: true,
      detail: auth.kind === 'guest' ? 'guest mode: signs its own' : `checked by ${auth.kind}`,
    },
    await examinePort(server),
    ...config.warnings.map((detail) => ({ name: 'settings', ok: false, detail })),
  ];
}

async function examineData({ dataDirectory }: Config): Promise<Finding> {
  const name = 'data';
  try {
    ensureDirectory(dataDirectory, 'DATA_DIR');
    const { bavail, bsize } = statfsSync(dataDirectory);
    const free = bavail * bsize;
    return { name, ok: free >= freeBytesMin, detail: `${dataDirectory}, ${gigabytes(free)} free` };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function examineStore({ store: configured, dataDirectory }: Config): Promise<Finding> {
  if (configured.kind === 'mongodb') return examineMongoStore(configured);
  const file = join(dataDirectory, 'amity.db');
  const name = 'store';
  if (!existsSync(file)) return { name, ok: true, detail: `embedded, will be made at ${file}` };
  try {
    await using store = await openEmbeddedStore({ file });
    await store.ping();
    return { name, ok: true, detail: `embedded, ${file}` };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function examineMongoStore(options: MongoStoreOptions): Promise<Finding> {
  const name = 'store';
  try {
    await using store = await openMongoStore(options);
    await store.ping();
    return { name, ok: true, detail: `MongoDB, ${nameOfServer(options)}` };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message };
  }
}

async function examineModel({ model, pool }: Config): Promise<Finding> {
  try {
    const manifest = await readManifest(model.directory);
    const problems = await verifyFiles(model.directory, manifest);
    const [first] = problems;
    if (first !== undefined) return { name: 'model', ok: false, detail: first.message };
    const { name, family, weights, licence } = manifest;
    const device =
      pool.provider === 'auto' || pool.provider === 'cpu' ? 'the CPU' : `${pool.provider}, if it can be had`;
    return {
      name: 'model',
      ok: true,
      detail: `${name} (${family}, ${weights}, ${licence ?? 'licence unknown'}) on ${device}, ${pool.threads} threads; all files verified`,
    };
  } catch (error) {
    return { name: 'model', ok: false, detail: (error as Error).message };
  }
}

/** In use is no fault: the server may be running. */
function examinePort({ host, port }: Config['server']): Promise<Finding> {
  return new Promise((resolve) => {
    const name = 'port';
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve({
        name,
        ok: error.code === 'EADDRINUSE',
        detail: `${host}:${port}: ${error.code === 'EADDRINUSE' ? 'in use (is the server running?)' : error.message}`,
      }),
    );
    probe.listen(port, host, () =>
      probe.close(() => resolve({ name, ok: true, detail: `${host}:${port} is free` })),
    );
  });
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
