/**
 * Who may import whom. `npm run check` and test/architecture.test.ts run these rules; that test also crosses every
 * border once and sees the rule object. A type-only import counts like any other, except where a rule says otherwise.
 */

/** Third-party packages and their homes: nobody else may know them, so that each can be replaced in one place. */
const homes = {
  'socket.io': ['src/gateway'],
  'socket.io-client': ['src/client'],
  'onnxruntime-node': ['src/onnx'],
  '@huggingface/tokenizers': ['src/onnx'],
  '@huggingface/jinja': ['src/onnx'],
  '@huggingface/gguf': ['models'],
  protobufjs: ['models'],
  yauzl: ['models'],
  piscina: ['src/pool'],
  libsql: ['src/storage/embedded'],
  mongoose: ['src/storage/mongo'],
  cockatiel: ['src/storage/mongo'],
  jose: ['src/auth'],
  'rate-limiter-flexible': ['src/limits'],
  hono: ['src/http'],
  '@hono/node-server': ['src/http', 'src/server.ts'],
  pino: ['src/telemetry'],
  'pino-pretty': ['src/telemetry'],
  'prom-client': ['src/telemetry'],
  commander: ['src/cli'],
  '@clack/prompts': ['src/cli'],
  zod: ['src/protocol', 'src/gateway', 'src/http', 'src/onnx', 'models'],
  preact: ['web'],
  '@preact/signals': ['web'],
  vite: ['web/vite.config.ts'],
};

const escaped = (text) => text.replace(/[.\\/]/g, '\\$&');
const inPackage = (name) => `^node_modules/(@types/)?${escaped(name)}/`;
const shipped = '^(src|workers|models|web)/';
/** How the resolver names the modules of Node: 'fs/promises', without the prefix. */
const coreModule = '^[a-z_/]+$';
const pure = '^src/(conversation|engine|ranking|reactions|records|std)/';
const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

const forbid = (name, comment, { from, to }) => ({ name, comment, severity: 'error', from, to });

/** `folder` may import itself and `allowed` (patterns), nothing else. */
const only = (name, comment, { folder, allowed = [] }) =>
  forbid(name, comment, { from: { path: folder }, to: { pathNot: [folder, ...allowed] } });

const general = [
  forbid('no-circular', 'Modules in a circle cannot be understood, tested or moved one by one.', {
    from: {},
    to: { circular: true },
  }),
  forbid('no-orphans', 'A module that imports nothing and that nobody imports is dead.', {
    from: { orphan: true, path: '^(src|workers|models)/', pathNot: '\\.d\\.ts$' },
    to: {},
  }),
  forbid('not-to-unresolvable', 'The import leads nowhere.', { from: {}, to: { couldNotResolve: true } }),
  forbid('not-to-dev-dependency', 'What runs in production must be installed there.', {
    from: { path: '^(src|workers|models)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
  }),
];

const folders = [
  only(
    'engine-imports-nothing',
    'The engine knows neither ONNX nor Piscina nor a conversation: plain data in, plain data out.',
    {
      folder: '^src/engine/',
    },
  ),
  only(
    'std-imports-nothing',
    'std fills gaps of the standard library; its error class carries the codes of the wire.',
    {
      folder: '^src/std/',
      allowed: ['^src/protocol/errors\\.ts$'],
    },
  ),
  only(
    'protocol-imports-zod-only',
    'The wire is read by browsers and by other languages: nothing of the server in it.',
    {
      folder: '^src/protocol/',
      allowed: [inPackage('zod')],
    },
  ),
  forbid('protocol-constants-free-of-zod', 'errors.ts and limits.ts are used by the client at run time.', {
    from: { path: '^src/protocol/(errors|limits)\\.ts$' },
    to: { path: '.' },
  }),
  only('client-imports-protocol-only', 'The SDK runs in a browser, without the server.', {
    folder: '^src/client/',
    allowed: ['^src/protocol/', inPackage('socket.io-client')],
  }),
  forbid(
    'browser-takes-protocol-types-only',
    'zod stays out of the browser: at run time only errors.ts and limits.ts are used there.',
    {
      from: { path: '^(src/client|web)/' },
      to: {
        path: '^src/protocol/',
        pathNot: '^src/protocol/(errors|limits)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
  ),
  forbid(
    'web-imports-client-only',
    'The page uses what every other client has: the SDK, and the wire as types.',
    {
      from: { path: '^web/' },
      to: { path: '^(src|workers|models|test|bench|scripts)/', pathNot: '^src/(client|protocol)/' },
    },
  ),
  only('conversation-imports', 'What a turn is: the engine in its types, std, and nothing that does I/O.', {
    folder: '^src/conversation/',
    allowed: ['^src/engine/request\\.ts$', '^src/std/'],
  }),
  forbid(
    'conversation-takes-engine-types-only',
    'A conversation asks its generator; it does not run the engine.',
    { from: { path: '^src/conversation/' }, to: { path: '^src/engine/', dependencyTypesNot: ['type-only'] } },
  ),
  forbid(
    'domain-imports',
    'Ranking, reactions and records build on the conversation, std and the types of the engine.',
    {
      from: { path: '^src/(ranking|reactions|records)/' },
      to: { pathNot: ['^src/(ranking|reactions|records|conversation|std)/', '^src/engine/request\\.ts$'] },
    },
  ),
  forbid('pure-without-io', 'Pure folders do no I/O of their own; interfaces are passed in.', {
    from: { path: pure },
    to: { dependencyTypes: ['core', ...npm] },
  }),
  only(
    'storage-implements-the-domain',
    'A store implements what the domain folders declare and knows nobody else.',
    {
      folder: '^src/storage/',
      allowed: [
        '^src/(conversation|reactions|ranking|records|std)/',
        '^src/engine/request\\.ts$',
        '^src/protocol/errors\\.ts$',
        '^src/worker-entry\\.ts$',
        coreModule,
        inPackage('libsql'),
        inPackage('mongoose'),
        inPackage('cockatiel'),
      ],
    },
  ),
  forbid(
    'edges-know-no-machinery',
    'The gateway and HTTP talk to the domain; server.ts hands them its implementations.',
    {
      from: { path: '^src/(gateway|http)/' },
      to: { path: '^src/(storage|onnx|engine|pool)/', pathNot: '^src/storage/store\\.ts$' },
    },
  ),
  forbid('edges-stay-apart', 'The gateway does not need HTTP, nor HTTP the gateway.', {
    from: { path: '^src/(gateway|http)/' },
    to: { path: '^src/(gateway|http)/', pathNot: '^src/$1/' },
  }),
  forbid('workers-touch-no-edge', 'A worker has no socket and no store.', {
    from: { path: '^workers/' },
    to: {
      path: '^src/(gateway|http|storage)/',
      pathNot: '^src/storage/embedded/serve-(store|checkpoints)\\.ts$',
    },
  }),
  forbid('few-workers-have-the-store', 'Only the threads of the store touch it.', {
    from: { path: '^workers/', pathNot: '^workers/(store|checkpoint)\\.ts$' },
    to: { path: '^src/storage/' },
  }),
  forbid(
    'models-import-the-graph-contract',
    'The converter shares the graphs and the manifest with the runtime, and nothing else.',
    {
      from: { path: '^models/' },
      to: {
        path: '^(src|workers|web|test|bench)/',
        pathNot: ['^src/onnx/(manifest|graph-contract|export-contract)\\.ts$', '^src/std/'],
      },
    },
  ),
  forbid('only-the-cli-converts', 'The server needs no converter.', {
    from: { path: '^src/', pathNot: '^src/cli/' },
    to: { path: '^models/' },
  }),
  forbid(
    'composition-on-top',
    'server.ts knows all and is known by the command line alone; nobody imports the command line.',
    {
      from: { path: '^(src|workers|models)/', pathNot: '^src/(cli/|main\\.ts$|server\\.ts$)' },
      to: { path: '^src/(server\\.ts$|main\\.ts$|cli/)' },
    },
  ),
  forbid(
    'config-handed-down',
    'Settings are loaded by the composition root and handed down in slices; others take their types.',
    {
      from: { path: '^(src|workers|models)/', pathNot: '^src/(config/|cli/|main\\.ts$|server\\.ts$)' },
      to: { path: '^src/config/', dependencyTypesNot: ['type-only'] },
    },
  ),
  forbid('shipped-without-tests', 'Tests, benches and scripts use the product, never the other way round.', {
    from: { path: shipped },
    to: { path: '^(test|bench|scripts)/' },
  }),
  forbid(
    'workers-are-entries',
    'A worker thread is started by its URL; importing its file would run it here.',
    { from: { path: '^(src|models|web)/' }, to: { path: '^workers/' } },
  ),
];

const packages = Object.entries(homes).map(([name, folders]) =>
  forbid(`home-of-${name}`, `${name} is known by ${folders.join(', ')} alone.`, {
    from: { path: shipped, pathNot: folders.map((folder) => `^${escaped(folder)}(/|$)`) },
    to: { path: inPackage(name) },
  }),
);

const homeless = forbid(
  'package-without-home',
  'Every third-party package has one home: enter it in the table of homes.',
  { from: { path: shipped }, to: { dependencyTypes: npm, pathNot: Object.keys(homes).map(inPackage) } },
);

module.exports = {
  forbidden: [...general, ...folders, ...packages, homeless],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default', 'require'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
