/** One forbidden import for every rule of .dependency-cruiser.cjs, and imports that look alike and are allowed. */
export interface BorderCase {
  /** The rule that has to object; for allowed imports a label. */
  readonly rule: string;
  /** The file that imports. */
  readonly file: string;
  readonly source: string;
  /** What the rule needs beside the file. */
  readonly others?: Readonly<Record<string, string>>;
}

const crossing = (rule: string, file: string, source: string): BorderCase => ({ rule, file, source });

const ofFolders: readonly BorderCase[] = [
  {
    rule: 'no-circular',
    file: 'src/http/circle-a.ts',
    source: "import { b } from './circle-b.ts';\nexport const a = () => b();",
    others: { 'src/http/circle-b.ts': "import { a } from './circle-a.ts';\nexport const b = () => a();" },
  },
  crossing('no-orphans', 'src/http/lonely.ts', 'export const lonely = 1;'),
  crossing('not-to-unresolvable', 'src/http/lost.ts', "import { x } from './gone.ts';\nx();"),
  crossing('not-to-dev-dependency', 'src/http/dev.ts', "import { test } from 'dev-only';\ntest();"),
  crossing('engine-imports-nothing', 'src/engine/clock.ts', "import type { Clock } from '../std/clock.ts';"),
  crossing('std-imports-nothing', 'src/std/domain.ts', "import type { A } from '../conversation/a.ts';"),
  crossing('protocol-imports-zod-only', 'src/protocol/own.ts', "import { a } from '../std/a.ts';\na();"),
  crossing('protocol-constants-free-of-zod', 'src/protocol/limits.ts', "import { z } from 'zod';\nz();"),
  crossing(
    'client-imports-protocol-only',
    'src/client/server.ts',
    "import type { A } from '../gateway/a.ts';",
  ),
  crossing(
    'browser-takes-protocol-types-only',
    'src/client/parse.ts',
    "import { clientEvents } from '../protocol/events.ts';\nclientEvents();",
  ),
  crossing('web-imports-client-only', 'web/src/store.ts', "import type { A } from '../../src/storage/a.ts';"),
  crossing('conversation-imports', 'src/conversation/out.ts', "import type { A } from '../gateway/a.ts';"),
  crossing(
    'conversation-takes-engine-types-only',
    'src/conversation/run.ts',
    "import { run } from '../engine/request.ts';\nrun();",
  ),
  crossing('domain-imports', 'src/ranking/out.ts', "import type { A } from '../pool/a.ts';"),
  crossing(
    'pure-without-io',
    'src/engine/file.ts',
    "import { readFileSync } from 'node:fs';\nreadFileSync('x');",
  ),
  crossing('storage-implements-the-domain', 'src/storage/up.ts', "import type { A } from '../gateway/a.ts';"),
  crossing(
    'edges-know-no-machinery',
    'src/gateway/sql.ts',
    "import type { A } from '../storage/embedded/a.ts';",
  ),
  crossing('edges-stay-apart', 'src/gateway/page.ts', "import type { A } from '../http/a.ts';"),
  crossing('workers-touch-no-edge', 'workers/socket.ts', "import type { A } from '../src/gateway/a.ts';"),
  crossing(
    'few-workers-have-the-store',
    'workers/another.ts',
    "import { serveStore } from '../src/storage/embedded/serve-store.ts';",
  ),
  crossing(
    'models-import-the-graph-contract',
    'models/run.ts',
    "import { a } from '../src/onnx/runner.ts';\na();",
  ),
  crossing('only-the-cli-converts', 'src/http/convert.ts', "import { a } from '../../models/a.ts';\na();"),
  crossing('composition-on-top', 'src/http/all.ts', "import { start } from '../server.ts';\nstart();"),
  crossing(
    'config-handed-down',
    'src/pool/env.ts',
    "import { loadConfig } from '../config/load.ts';\nloadConfig();",
  ),
  crossing('shipped-without-tests', 'src/http/test.ts', "import { a } from '../../test/a.ts';\na();"),
  crossing('workers-are-entries', 'src/pool/inside.ts', "import { a } from '../../workers/a.ts';\na();"),
  crossing('package-without-home', 'src/http/new.ts', "import { a } from 'homeless';\na();"),
];

/** A folder that is nobody's home. */
const stranger = 'src/telemetry';
const strangerToTelemetry = 'src/auth';

/** One crossing for each package of the table of homes. */
export function crossingsOf(rules: readonly string[]): readonly BorderCase[] {
  const ofPackages = rules
    .filter((rule) => rule.startsWith('home-of-'))
    .map((rule) => {
      const name = rule.slice('home-of-'.length);
      const folder = /^(pino|prom)/.test(name) ? strangerToTelemetry : stranger;
      return crossing(
        rule,
        `${folder}/takes-${name.replace(/\W/g, '-')}.ts`,
        `import * as it from '${name}';\nit.x();`,
      );
    });
  return [...ofFolders, ...ofPackages];
}

export const allowed: readonly BorderCase[] = [
  crossing('engine to engine', 'src/engine/own.ts', "import type { A } from './request.ts';"),
  crossing('std to the codes', 'src/std/error.ts', "import type { A } from '../protocol/errors.ts';"),
  crossing('protocol to zod', 'src/protocol/table.ts', "import { z } from 'zod';\nz();"),
  crossing(
    'client to the wire',
    'src/client/session.ts',
    "import { io } from 'socket.io-client';\nimport type { A } from '../protocol/events.ts';\nimport { b } from '../protocol/errors.ts';\nio(b);",
  ),
  crossing('page to client', 'web/src/app.ts', "import { a } from '../../src/client/session.ts';\na();"),
  crossing(
    'conversation to engine types',
    'src/conversation/ask.ts',
    "import type { A } from '../engine/request.ts';",
  ),
  crossing(
    'store to its driver and a file',
    'src/storage/embedded/open.ts',
    "import { mkdirSync } from 'node:fs';\nimport { open } from 'libsql';\nimport type { A } from '../../conversation/ask.ts';\nopen(mkdirSync);",
  ),
  crossing(
    'gateway to Socket.IO and the domain',
    'src/gateway/edge.ts',
    "import { Server } from 'socket.io';\nimport { a } from '../conversation/ask.ts';\nimport type { C } from '../config/load.ts';\nimport type { S } from '../storage/store.ts';\na(Server);",
  ),
  crossing('worker to onnx', 'workers/run.ts', "import { a } from '../src/onnx/runner.ts';\na();"),
  crossing(
    'converter to the contract',
    'models/make.ts',
    "import { a } from '../src/onnx/graph-contract.ts';\na();",
  ),
  crossing(
    'composition root to all',
    'src/server.ts',
    "import { a } from './gateway/edge.ts';\nimport { b } from './storage/embedded/open.ts';\nimport { c } from './config/load.ts';\na(b, c);",
  ),
  crossing(
    'command line to all',
    'src/cli/main.ts',
    "import { start } from '../server.ts';\nimport { make } from '../../models/make.ts';\nimport { command } from 'commander';\nstart(make, command);",
  ),
];
