/** Every setting once: how it is read, its default, its unit and what it is for. The documentation is made from here. */
import * as kind from './setting-kinds.ts';

export const settings = {
  PORT: kind.integer({
    min: 0,
    max: 65_535,
    fallback: 3000,
    doc: 'Port of HTTP and WebSocket. 0 takes any free one.',
  }),
  HOST: kind.text({
    doc: 'Address to listen on.',
    fallbackNote: '127.0.0.1 in guest mode, else 0.0.0.0',
  }),
  LOG_LEVEL: kind.choice({
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    fallback: 'info',
    doc: 'How much is logged. Message texts never are.',
  }),
  DATA_DIR: kind.text({
    fallback: './data',
    doc: 'Directory of the embedded store and of the guest secret.',
  }),
  MODELS_DIR: kind.text({ doc: 'Directory of the models.', fallbackNote: '$DATA_DIR/models' }),
  MODEL: kind.text({
    fallback: 'smollm2-135m-instruct',
    doc: 'Name of the model that answers: a directory in MODELS_DIR, made by `amity model pull`.',
  }),
  STORE: kind.choice({
    choices: ['embedded', 'mongodb'],
    doc: 'Where conversations are kept: in a file in DATA_DIR, or in the MongoDB of MONGODB_URI.',
    fallbackNote: 'mongodb where MONGODB_URI is set, else embedded',
  }),
  MONGODB_URI: kind.text({
    secret: true,
    doc: 'Connection string of a MongoDB, or of a server that speaks its protocol: `mongodb://` or `mongodb+srv://`. The database is `amity` unless it names another.',
  }),
  JWT_SECRET: kind.text({ secret: true, doc: 'Shared secret of HS256 tokens, at least 32 bytes.' }),
  JWT_PUBLIC_KEY: kind.text({ secret: true, doc: 'Public key (SPKI PEM) of RS256, ES256 or EdDSA tokens.' }),
  JWT_JWKS_URL: kind.url({ doc: 'Where the key set of the token issuer is found.' }),
  JWT_ISSUER: kind.text({ doc: 'Demanded `iss` of tokens; unchecked when absent.' }),
  JWT_AUDIENCE: kind.text({ doc: 'Demanded `aud` of tokens; unchecked when absent.' }),
  CORS_ORIGIN: kind.list({
    doc: 'Web origins that may connect beside the page served here, separated by commas; * allows all.',
    fallback: [],
  }),
  RATE_LIMITS: kind.choice({
    choices: ['on', 'off'],
    fallback: 'on',
    doc: 'Limits of events, connections and guests by user and address, far beyond what a person does. off lifts them, for load tests; what bounds memory stays.',
  }),
  AMITY_PROXY_HOPS: kind.integer({
    min: 0,
    max: 10,
    fallback: 0,
    doc: 'Proxies of your own before the server. With one or more, addresses are taken from X-Forwarded-For; without, everybody behind a proxy would share its limits.',
  }),
  AMITY_TRANSPORTS: kind.choice({
    choices: ['websocket', 'websocket,polling'],
    fallback: 'websocket',
    doc: 'Socket.IO transports. Polling needs sticky sessions when there are several nodes.',
  }),
  AMITY_LOG_FORMAT: kind.choice({
    choices: ['auto', 'json', 'pretty'],
    fallback: 'auto',
    doc: 'Form of the log; auto is pretty on a terminal and json elsewhere.',
  }),
  AMITY_HUB_URL: kind.url({
    fallback: 'https://huggingface.co',
    doc: 'Model hub that `amity model pull` asks first.',
  }),
  EXECUTION_PROVIDER: kind.choice({
    choices: ['auto', 'cpu', 'webgpu', 'cuda', 'coreml', 'dml'],
    fallback: 'auto',
    doc: 'What the model runs on. auto is the processor. webgpu needs a model made with `amity model import <path> --layout export --weights fp16`. What cannot be had falls back to the processor, with a line in the log.',
  }),
  AMITY_WORKERS: kind.integer({
    min: 1,
    max: 64,
    fallback: 1,
    doc: 'Generation worker threads, each with a model of its own. On a CPU one with all cores is fastest; with several GPUs each worker takes the next one.',
  }),
  AMITY_GENERATION_HOST: kind.choice({
    choices: ['thread', 'process'],
    fallback: 'thread',
    doc: 'Where the workers live. thread: in the server, so that a native crash of the model runtime ends it. process: in a child process, which is started again; its replies go on and no connection is lost.',
  }),
  AMITY_THREADS: kind.integer({
    min: 0,
    max: 256,
    fallback: 0,
    unit: 'threads per worker',
    doc: 'Threads of the model runtime; 0 shares the cores of the machine among the workers.',
  }),
  AMITY_BATCH_ROWS_MAX: kind.integer({
    min: 1,
    max: 256,
    fallback: 24,
    unit: 'sequences',
    doc: 'Sequences that decode together in one worker. Together with the token limits it bounds the key/value cache.',
  }),
  AMITY_PREFIX_CACHE_MB: kind.integer({
    min: 0,
    max: 1_000_000,
    fallback: 512,
    unit: 'megabytes per worker',
    doc: 'Memory for what the model made of earlier prompts, so that the next turn of a conversation reads only what is new; taken at the start. 0 switches it off. Never shared between users.',
  }),
  AMITY_QUEUE_MAX: kind.integer({
    min: 1,
    max: 100_000,
    fallback: 256,
    unit: 'generations',
    doc: 'Replies that may wait, for a place in a batch or for the reply before them; further messages are refused with `overloaded`.',
  }),
  AMITY_QUALITY: kind.choice({
    choices: ['live', 'best'],
    fallback: 'live',
    doc: 'live: candidates race, and the winner streams early. best: all are written to their end and ranked then, so text comes late; only while nobody waits.',
  }),
  AMITY_CANDIDATES: kind.integer({
    min: 1,
    max: 32,
    fallback: 10,
    unit: 'candidates per reply',
    doc: 'Candidates that race for a reply while nobody waits; under load there are fewer, down to 1.',
  }),
  AMITY_COMMIT_TOKENS: kind.integer({
    min: 1,
    max: 1000,
    fallback: 28,
    unit: 'tokens',
    doc: 'When a race is decided: the best candidate of this length streams from then on.',
  }),
  AMITY_EXPLORATION: kind.decimal({
    min: 0,
    max: 1,
    fallback: 0.05,
    doc: 'Probability that a race is not simply won by the best score but drawn by it, so that rankers can be compared later. The probability of each choice is stored with it.',
  }),
  AMITY_CHAT_TOKEN: kind.text({
    secret: true,
    doc: 'Token with which `amity chat` signs in; without one it is a guest.',
  }),
  AMITY_API_KEYS: kind.list({
    secret: true,
    fallback: [],
    doc: 'Keys that `/v1/chat/completions` takes as bearer, separated by commas. Without any it is open in guest mode and closed otherwise.',
  }),
  AMITY_PROMPT_TOKENS_MAX: kind.integer({
    min: 64,
    max: 131_072,
    fallback: 512,
    unit: 'tokens',
    doc: 'Budget of a prompt: persona and as many of the newest turns as fit.',
  }),
  AMITY_REPLY_TOKENS_MAX: kind.integer({
    min: 1,
    max: 32_768,
    fallback: 100,
    unit: 'tokens',
    doc: 'Longest reply.',
  }),
  AMITY_REPLY_TOKENS_SOFT_MAX: kind.integer({
    min: 1,
    max: 32_768,
    fallback: 60,
    unit: 'tokens',
    doc: 'From here on a reply ends with the sentence it is in, so that few are cut off in the middle of one.',
  }),
  AMITY_TEMPLATE: kind.choice({
    choices: ['chat', 'transcript'],
    fallback: 'chat',
    doc: 'How a dialog becomes a prompt: the chat template of the model, or a transcript ("The following is a dialog ...").',
  }),
  AMITY_TEMPERATURE: kind.decimal({
    min: 0,
    max: 2,
    fallback: 0.7,
    doc: 'Sampling temperature; 0 always takes the likeliest token.',
  }),
  AMITY_TOP_K: kind.integer({
    min: 1,
    max: 50,
    fallback: 40,
    unit: 'tokens',
    doc: 'Sample among this many likeliest tokens.',
  }),
  AMITY_TOP_P: kind.decimal({
    min: 0.01,
    max: 1,
    fallback: 0.9,
    doc: 'Sample among the likeliest tokens that together have this probability.',
  }),
  AMITY_REPETITION_PENALTY: kind.decimal({
    min: 1,
    max: 2,
    fallback: 1.1,
    doc: 'Makes tokens of the reply so far less likely, so that it does not loop; 1 is off.',
  }),
  AMITY_RETENTION_DAYS: kind.integer({
    min: 0,
    max: 36_500,
    fallback: 0,
    unit: 'days',
    doc: 'Conversations in which nothing has happened for so long are deleted, with all that belongs to them. 0 keeps them.',
  }),
  AMITY_VERIFY_MODEL: kind.flag({
    fallback: true,
    doc: 'Check the sha256 of every model file when it is loaded.',
  }),
  AMITY_DRAIN_TIMEOUT_MS: kind.integer({
    min: 0,
    max: 600_000,
    fallback: 20_000,
    unit: 'ms',
    doc: 'How long running replies may go on after SIGTERM before they are stopped with the text they have.',
  }),
} as const;

export type SettingName = keyof typeof settings;

/** Bare names that later versions read: a typing error is measured against them too. */
export const reservedNames = [
  'REDIS_URL',
  'ADMIN_TOKEN',
  'OPENAI_BASE_URL',
  'OPENAI_API_KEY',
  'GENERATOR',
  'ROLE',
] as const;

/** Other names of settings, which are taken with a warning. */
export const otherNames: Readonly<Record<string, SettingName>> = {
  MONGODB_URL: 'MONGODB_URI',
  MONGO_URI: 'MONGODB_URI',
  MONGO_URL: 'MONGODB_URI',
};
