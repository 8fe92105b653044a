/** Reads the environment, the only code that does: everything wrong is found at once and named together. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { RaceSettings } from '../conversation/load-level.ts';
import { otherNames, reservedNames, type SettingName, settings } from './schema.ts';
import type { Setting } from './setting-kinds.ts';

type Values = {
  readonly [N in SettingName]: ReturnType<(typeof settings)[N]['parse']> | (typeof settings)[N]['fallback'];
};

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Config {
  readonly server: {
    readonly port: number;
    readonly host: string;
    readonly corsOrigins: readonly string[];
    readonly transports: readonly ('websocket' | 'polling')[];
    readonly drainTimeoutMs: number;
    readonly hasRateLimits: boolean;
    readonly proxyHops: number;
  };
  readonly auth: AuthConfig;
  readonly store: StoreConfig;
  readonly log: { readonly level: Values['LOG_LEVEL']; readonly format: Values['AMITY_LOG_FORMAT'] };
  readonly retentionDays: number;
  readonly dataDirectory: string;
  readonly modelsDirectory: string;
  readonly hubUrl: string;
  readonly model: { readonly name: string; readonly directory: string; readonly verifyChecksums: boolean };
  readonly pool: {
    readonly host: Values['AMITY_GENERATION_HOST'];
    readonly workers: number;
    readonly threads: number;
    readonly provider: Values['EXECUTION_PROVIDER'];
    readonly rowsMax: number;
    readonly prefixCacheBytes: number;
    readonly queueMax: number;
  };
  readonly race: RaceSettings;
  readonly apiKeys: readonly string[];
  readonly chatToken: string | undefined;
  readonly reply: {
    readonly template: Values['AMITY_TEMPLATE'];
    readonly promptTokensMax: number;
    readonly replyTokensMax: number;
    readonly replyTokensSoftMax: number;
    readonly temperature: number;
    readonly topK: number;
    readonly topP: number;
    readonly repetitionPenalty: number;
  };
  /** What should be known but does not stop the start. */
  readonly warnings: readonly string[];
}

export type StoreConfig = { readonly kind: 'embedded' } | { readonly kind: 'mongodb'; readonly uri: string };

export type AuthConfig = { readonly issuer: string | undefined; readonly audience: string | undefined } & (
  | { readonly kind: 'guest' }
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'public_key'; readonly pem: string }
  | { readonly kind: 'jwks'; readonly url: string }
);

/** Every problem of the settings; the process exits with 2. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'A setting is' : `${problems.length} settings are`} unusable:\n${problems.map((one) => `  - ${one}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws ConfigError naming all problems. */
export function loadConfig(environment: Environment, workingDirectory: string): Config {
  const problems: string[] = [];
  const named = { ...readEnvFile(workingDirectory, problems), ...definedOnly(environment) };
  const env = { ...underOwnNames(named), ...named };
  const values = parseAll(env, problems);
  const auth = toAuth(values, problems);
  const store = toStore(values, problems);
  problems.push(...unknownNames(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(toConfig(values, { auth, store, env, workingDirectory }));
}

function readEnvFile(directory: string, problems: string[]): Environment {
  try {
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      problems.push(`.env cannot be read: ${(error as Error).message}`);
    return {};
  }
}

/** An empty variable counts as absent: compose files pass them on that way. */
function definedOnly(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function parseAll(env: Environment, problems: string[]): Values {
  const entries = Object.entries(settings as Record<string, Setting<unknown>>).map(([name, setting]) => {
    try {
      const raw = setting.secret ? readSecret(name, env) : env[name];
      return [name, raw === undefined ? setting.fallback : setting.parse(raw)];
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}`);
      return [name, setting.fallback];
    }
  });
  return Object.fromEntries(entries) as Values;
}

function readSecret(name: string, env: Environment): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined) return env[name];
  if (env[name] !== undefined) throw new Error(`is set twice: also as ${name}_FILE`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new Error(`cannot be read from the file that ${name}_FILE names (${path})`);
  }
}

function toAuth(values: Values, problems: string[]): AuthConfig {
  const { JWT_SECRET: secret, JWT_PUBLIC_KEY: pem, JWT_JWKS_URL: url } = values;
  const shared = { issuer: values.JWT_ISSUER, audience: values.JWT_AUDIENCE };
  if ([secret, pem, url].filter((one) => one !== undefined).length > 1) {
    problems.push('JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other: set one of them');
  }
  if (secret !== undefined && Buffer.byteLength(secret) < 32) {
    problems.push('JWT_SECRET is shorter than 32 bytes: anyone could guess it');
  }
  if (secret !== undefined) return { kind: 'secret', secret, ...shared };
  if (pem !== undefined) return { kind: 'public_key', pem, ...shared };
  if (url !== undefined) return { kind: 'jwks', url, ...shared };
  return { kind: 'guest', ...shared };
}

function toStore({ STORE: chosen, MONGODB_URI: uri }: Values, problems: string[]): StoreConfig {
  if (uri !== undefined && !/^mongodb(\+srv)?:\/\/[^/]/.test(uri))
    problems.push('MONGODB_URI must begin with mongodb:// or mongodb+srv://, and a host');
  const kind = chosen ?? (uri === undefined ? 'embedded' : 'mongodb');
  if (kind === 'embedded') return { kind };
  if (uri === undefined) problems.push('STORE=mongodb needs MONGODB_URI');
  return { kind, uri: uri ?? '' };
}

/** What has been set under another name of a setting. */
function underOwnNames(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(otherNames)
      .filter(([other]) => env[other] !== undefined)
      .map(([other, name]) => [name, env[other]]),
  );
}

function unknownNames(env: Environment): string[] {
  const known = new Set<string>(Object.keys(settings));
  const isKnown = (name: string) =>
    known.has(name) || (name.endsWith('_FILE') && known.has(name.slice(0, -5)));
  // The tests and the container image have switches of their own.
  const foreign = (name: string) => name.startsWith('AMITY_TEST_');
  return Object.keys(env)
    .filter((name) => name.startsWith('AMITY_') && !isKnown(name) && !foreign(name))
    .map((name) => `${name} is not a setting of Amity${suggestion(name, [...known])}`);
}

function otherNamesUsed(env: Environment): string[] {
  return Object.entries(otherNames)
    .filter(([other]) => env[other] !== undefined)
    .map(([other, name]) => `${other} is set; it is taken for ${name}, its name here`);
}

function misspeltNames(env: Environment): string[] {
  const known = [...Object.keys(settings), ...reservedNames].filter((name) => !name.startsWith('AMITY_'));
  return Object.keys(env).flatMap((name) => {
    const meant =
      known.includes(name) || Object.hasOwn(otherNames, name)
        ? undefined
        : known.find((one) => editDistance(one, name) === 1);
    return meant === undefined || env[meant] !== undefined ? [] : [`${name} is set; did you mean ${meant}?`];
  });
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = known.find((one) => editDistance(one, name) <= 2);
  return nearest === undefined ? ' (docs/settings.md lists all)' : `; did you mean ${nearest}?`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function toConfig(
  values: Values,
  from: Pick<Config, 'auth' | 'store'> & { env: Environment; workingDirectory: string },
): Config {
  const { auth, store } = from;
  const dataDirectory = resolve(from.workingDirectory, values.DATA_DIR);
  const modelsDirectory =
    values.MODELS_DIR === undefined
      ? join(dataDirectory, 'models')
      : resolve(from.workingDirectory, values.MODELS_DIR);
  const threads =
    values.AMITY_THREADS || Math.max(1, Math.floor(availableParallelism() / values.AMITY_WORKERS));
  return {
    server: {
      port: values.PORT,
      host: values.HOST ?? (auth.kind === 'guest' ? '127.0.0.1' : '0.0.0.0'),
      corsOrigins: values.CORS_ORIGIN,
      transports: values.AMITY_TRANSPORTS === 'websocket' ? ['websocket'] : ['websocket', 'polling'],
      drainTimeoutMs: values.AMITY_DRAIN_TIMEOUT_MS,
      hasRateLimits: values.RATE_LIMITS === 'on',
      proxyHops: values.AMITY_PROXY_HOPS,
    },
    auth,
    store,
    log: { level: values.LOG_LEVEL, format: values.AMITY_LOG_FORMAT },
    retentionDays: values.AMITY_RETENTION_DAYS,
    dataDirectory,
    modelsDirectory,
    hubUrl: values.AMITY_HUB_URL,
    model: {
      name: values.MODEL,
      directory: join(modelsDirectory, values.MODEL),
      verifyChecksums: values.AMITY_VERIFY_MODEL,
    },
    pool: {
      host: values.AMITY_GENERATION_HOST,
      workers: values.AMITY_WORKERS,
      threads,
      provider: values.EXECUTION_PROVIDER,
      rowsMax: values.AMITY_BATCH_ROWS_MAX,
      prefixCacheBytes: values.AMITY_PREFIX_CACHE_MB * 1_000_000,
      queueMax: values.AMITY_QUEUE_MAX,
    },
    race: {
      quality: values.AMITY_QUALITY,
      candidates: values.AMITY_CANDIDATES,
      commitTokens: values.AMITY_COMMIT_TOKENS,
      exploration: values.AMITY_EXPLORATION,
    },
    apiKeys: values.AMITY_API_KEYS,
    chatToken: values.AMITY_CHAT_TOKEN,
    reply: {
      template: values.AMITY_TEMPLATE,
      promptTokensMax: values.AMITY_PROMPT_TOKENS_MAX,
      replyTokensMax: values.AMITY_REPLY_TOKENS_MAX,
      replyTokensSoftMax: values.AMITY_REPLY_TOKENS_SOFT_MAX,
      temperature: values.AMITY_TEMPERATURE,
      topK: values.AMITY_TOP_K,
      topP: values.AMITY_TOP_P,
      repetitionPenalty: values.AMITY_REPETITION_PENALTY,
    },
    warnings: [...otherNamesUsed(from.env), ...misspeltNames(from.env)],
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
