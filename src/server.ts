/**
 * The composition root: opens every resource in order and closes them in reverse. The only file that knows all parts.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import type { Config } from './config/load.ts';
import { type AnswerDeps, answerTurn } from './conversation/answer.ts';
import { recoverReplies } from './conversation/recovery.ts';
import { Replies } from './conversation/replies.ts';
import { Windows } from './conversation/windows.ts';
import { ensureDirectory } from './data-directory.ts';
import { openGateway } from './gateway/gateway.ts';
import { Sessions } from './gateway/sessions.ts';
import { createHttpApp } from './http/app.ts';
import { InFlight } from './http/completions/in-flight.ts';
import type { CompletionDeps } from './http/completions/routes.ts';
import { keepRetention } from './keep-retention.ts';
import { createRateLimits, unlimited } from './limits/rate-limits.ts';
import { turnsPerDayMax } from './limits/rates.ts';
import { type Generation, openGeneration } from './open-generation.ts';
import { openIdentity } from './open-identity.ts';
import { openServedStore } from './open-store.ts';
import { createIds, type Ids } from './random-ids.ts';
import { createRights } from './rights.ts';
import { type Clock, systemClock } from './std/clock.ts';
import { toWireError } from './std/coded-error.ts';
import { DisposalStack } from './std/disposal-stack.ts';
import type { Store } from './storage/store.ts';
import { createCompletionObserver } from './telemetry/completion-observer.ts';
import { createLog, type Logger } from './telemetry/log.ts';
import { createMetrics, type Metrics, watchLiveFigures } from './telemetry/metrics.ts';
import { createAnswerObserver, createGatewayObserver, reportError } from './telemetry/observers.ts';

export interface RunningServer extends AsyncDisposable {
  /** Where it listens, for people: `http://localhost:3000`. */
  readonly url: string;
  readonly log: Logger;
  /** Resolves with whether the model is loaded and warm; when it is not, `/readyz` says why. */
  readonly warm: Promise<boolean>;
}

/** Devices of a server that stops come back spread over so long. */
const reconnectWindowMs = 5000;

const page = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../web/dist' : '../../web/dist', import.meta.url),
);

/** @throws CodedError or Error with one clear sentence when something cannot be opened; all else is closed again then. */
export async function startServer(config: Config): Promise<RunningServer> {
  const opened = new DisposalStack();
  try {
    return await openAll(config, opened);
  } catch (error) {
    await opened[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
}

async function openAll(config: Config, opened: DisposalStack): Promise<RunningServer> {
  const log = createLog(config.log);
  const metrics = createMetrics();
  const base: Base = { config, log, metrics, clock: systemClock, ids: createIds(systemClock) };
  for (const warning of config.warnings) log.warn(warning);

  ensureDirectory(config.dataDirectory, 'DATA_DIR');
  const store = opened.use(await openServedStore(config));
  const { guests, verifyToken, verifyGuest } = await openIdentity(base, store);
  const generation = opened.use(await openGeneration(config, log));
  const replies = createReplies(base, store, generation);
  await takeUp(base, store, replies);
  const sessions = new Sessions();
  const rights = createRights({ store, replies, sessions, clock: base.clock, hasGuests: guests !== null });
  const completions = new InFlight();
  const rateLimits = config.server.hasRateLimits ? createRateLimits() : unlimited;
  const createdAt = base.clock.now();
  let isDraining = false;

  const app = createHttpApp({
    readiness: async () => [
      ...(await problemsOf(store)),
      ...generation.problems(),
      ...(isDraining ? ['shutting down'] : []),
    ],
    metrics: { contentType: metrics.registry.contentType, text: () => metrics.registry.metrics() },
    guests,
    rateLimits,
    proxyHops: config.server.proxyHops,
    verifyToken,
    claims: { verifyGuest, claim: rights.claim },
    rights,
    models: () => ['default', generation.generator.model].map((name) => ({ name, createdAt })),
    completions: toCompletionDeps(base, generation, completions),
    pageDirectory: page,
    onError: (path, error) => reportError(log, metrics, { error, what: path }),
  });
  const http = createServer(getRequestListener(app.fetch));
  const observer = createGatewayObserver(log, metrics);
  const { generator, prompt } = generation;
  const gatewayDeps = {
    ...{ store, replies, sessions, generator, prompt },
    clock: base.clock,
    ids: base.ids,
    digest,
    observer,
    verifyToken,
    rateLimits,
    draining: () => isDraining,
    turnsPerDayMax: config.server.hasRateLimits ? turnsPerDayMax : null,
  };
  opened.use(keepRetention({ ...base, store, days: config.retentionDays }));
  const gateway = opened.use(openGateway(http, gatewayDeps, { settings: config.server, observer }));
  opened.defer(() => {
    isDraining = true;
    gateway.announceEnd(reconnectWindowMs);
    const grace = pause(config.server.drainTimeoutMs, undefined, { ref: false });
    return Promise.all([replies.drain(grace), completions.drain(grace)]);
  });
  watchLiveFigures(metrics, {
    connections: () => sessions.count,
    replies: () => replies.count,
    ...generation.figures,
  });
  const url = await listen(http, config.server);
  return { url, log, warm: generation.warm, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** What every part is given. */
interface Base {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Before any socket is let in: nobody may see a generation that is unfinished and not worked on. */
async function takeUp({ clock, log }: Base, store: Store, replies: Replies): Promise<void> {
  const recovered = await recoverReplies({ store, replies }, clock.now());
  if (recovered.resumed + recovered.failed > 0) log.warn(recovered, 'the last run left replies unfinished');
}

function createReplies(
  { config, log, metrics, clock, ids }: Base,
  store: Store,
  generation: Generation,
): Replies {
  const deps: AnswerDeps = {
    store,
    generator: generation.generator,
    prompt: generation.prompt,
    windows: new Windows(store, clock),
    clock,
    ids,
    options: toAnswerOptions(config),
    observer: createAnswerObserver(log, metrics),
    pause: (ms) => pause(ms),
  };
  const { workers, rowsMax, queueMax } = config.pool;
  return new Replies((reply) => answerTurn(deps, reply), workers * rowsMax + queueMax);
}

function toCompletionDeps(
  { config, log, metrics, clock, ids }: Base,
  { generator, prompt }: Generation,
  inFlight: InFlight,
): CompletionDeps {
  const { replyTokensMax } = config.reply;
  return {
    generator,
    template: prompt.template,
    counter: prompt.counter,
    limits: { positionsMax: prompt.budgetTokens + replyTokensMax, replyTokensMax },
    rowsMax: config.pool.rowsMax,
    sampling: toAnswerOptions(config).sampling,
    access: toCompletionAccess(config),
    inFlight,
    ids,
    clock,
    observer: createCompletionObserver(log, metrics),
  };
}

function toCompletionAccess({ apiKeys, auth }: Config): CompletionDeps['access'] {
  if (apiKeys.length > 0) return { kind: 'keys', keys: apiKeys };
  return { kind: auth.kind === 'guest' ? 'open' : 'closed' };
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64url');

async function problemsOf(store: { ping(): Promise<void> }): Promise<string[]> {
  return store.ping().then(
    () => [],
    (error: unknown) => [`store: ${toWireError(error).message}`],
  );
}

function toAnswerOptions({ reply }: Config): AnswerDeps['options'] {
  const { temperature, topK, topP, repetitionPenalty, replyTokensMax, replyTokensSoftMax } = reply;
  return {
    replyTokensMax,
    replyTokensSoftMax,
    sampling: { temperature, topK, topP, repetitionPenalty },
  };
}

/** @throws Error with one sentence that names the port and the remedy. */
async function listen(http: HttpServer, { port, host }: Config['server']): Promise<string> {
  http.listen(port, host);
  try {
    await once(http, 'listening');
  } catch (error) {
    throw new Error(listenProblem(error as NodeJS.ErrnoException, { port, host }), { cause: error });
  }
  const address = http.address() as AddressInfo;
  const isLocal = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' || host === 'localhost';
  return `http://${isLocal ? 'localhost' : host}:${address.port}`;
}

function listenProblem({ code, message }: NodeJS.ErrnoException, at: { port: number; host: string }): string {
  if (code === 'EADDRINUSE')
    return `Port ${at.port} is in use. Stop the other program, or choose another port: PORT=${at.port + 1} npm start`;
  if (code === 'EACCES')
    return `Port ${at.port} needs more rights than this user has. Choose one above 1023: PORT=3000 npm start`;
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${at.host}. Set HOST to one that it has.`;
  return `Cannot listen on ${at.host}:${at.port}: ${message}`;
}
