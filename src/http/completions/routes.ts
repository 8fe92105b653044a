/** `POST /v1/chat/completions`, OpenAI's protocol on the generator that also writes the replies. */
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { GenerationRequest, Generator } from '../../conversation/generator.ts';
import type { PromptTemplate, TokenCounter } from '../../conversation/prompt-template.ts';
import type { Clock } from '../../std/clock.ts';
import { CodedError } from '../../std/coded-error.ts';
import { type CompletionAccess, refuseAccess } from './access.ts';
import { startEventStream } from './event-stream.ts';
import type { InFlight } from './in-flight.ts';
import { type CompletionPrompt, type PromptLimits, toPrompt } from './prompt.ts';
import { answerRefusal, type Checked, invalidRequest, toRefusal } from './refusal.ts';
import { type CompletionRequest, createRequestParser } from './request.ts';
import { toCompletion } from './response.ts';
import { type CompletionEvent, type CompletionObserver, runCompletion } from './run.ts';

export interface CompletionDeps {
  readonly generator: Generator;
  readonly template: PromptTemplate;
  readonly counter: TokenCounter;
  readonly limits: PromptLimits;
  /** Sequences that decode together: no request can have more completions. */
  readonly rowsMax: number;
  /** What holds where a request is silent. */
  readonly sampling: Omit<GenerationRequest['sampling'], 'seed'>;
  readonly access: CompletionAccess;
  readonly inFlight: InFlight;
  readonly ids: { readonly generationId: () => string; readonly seed: () => number };
  readonly clock: Clock;
  readonly observer: CompletionObserver;
}

const path = '/v1/chat/completions';
const bodyBytesMax = 2 ** 20;
/** Beyond what anybody reads; a server with more rows keeps some for others. */
const candidatesMax = 16;
const retryAfterCloseMs = 10_000;

/** @param models names that requests may use */
export function addCompletionRoutes(app: Hono, deps: CompletionDeps, models: () => readonly string[]): void {
  const parseRequest = createRequestParser(Math.min(deps.rowsMax, candidatesMax));

  app.post(
    path,
    async (context, next) => {
      const refusal = refuseAccess(deps.access, context.req.header('authorization'));
      if (refusal !== null) return answerRefusal(context, refusal);
      return next();
    },
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (context) => {
        const sentence = `The body is larger than ${bodyBytesMax} bytes.`;
        return answerRefusal(context, invalidRequest(sentence, { status: 413 }));
      },
    }),
    async (context) => {
      try {
        const body = await readJson(context);
        const request = body.ok ? parseRequest(body.value) : body;
        if (!request.ok) return answerRefusal(context, request.refusal);
        const prompt = planPrompt(deps, request.value, models());
        if (!prompt.ok) return answerRefusal(context, prompt.refusal);
        return await answer(deps, context, { request: request.value, prompt: prompt.value });
      } catch (error) {
        if (!context.req.raw.signal.aborted) deps.observer.failed(error);
        return answerRefusal(context, toRefusal(error));
      }
    },
  );

  app.all(path, (context) => {
    context.header('allow', 'POST');
    return answerRefusal(context, invalidRequest(`${path} takes POST.`, { status: 405 }));
  });
}

async function readJson(context: Context): Promise<Checked<unknown>> {
  // A page of another site can send any other type without asking first.
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) {
    const sentence = 'The body must be JSON, sent with "Content-Type: application/json".';
    return { ok: false, refusal: invalidRequest(sentence, { status: 415 }) };
  }
  const text = await context.req.text();
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, refusal: invalidRequest('The body is not valid JSON.') };
  }
}

/** Whether there is a model, room for the request, and a prompt that fits; nothing is begun. */
function planPrompt(
  deps: CompletionDeps,
  request: CompletionRequest,
  models: readonly string[],
): Checked<CompletionPrompt> {
  if (!models.includes(request.model)) {
    const sentence = `There is no model ${JSON.stringify(request.model)} here: use one of ${models.join(', ')}.`;
    const more = { param: 'model', code: 'model_not_found', status: 404 } as const;
    return { ok: false, refusal: invalidRequest(sentence, more) };
  }
  const admission = deps.generator.admits();
  if (!admission.ok) {
    const { code, message, retryAfterMs } = admission;
    return { ok: false, refusal: toRefusal(new CodedError(code, message, { retryAfterMs })) };
  }
  return toPrompt(deps, request.turns, request.tokensMax);
}

async function answer(
  deps: CompletionDeps,
  context: Context,
  { request, prompt }: { readonly request: CompletionRequest; readonly prompt: CompletionPrompt },
): Promise<Response> {
  const flight = deps.inFlight.begin(context.req.raw.signal);
  if (flight === null) {
    throw new CodedError('shutting_down', 'The server is about to stop.', {
      retryAfterMs: retryAfterCloseMs,
    });
  }
  const generationId = deps.ids.generationId();
  const heading = {
    id: `chatcmpl-${generationId}`,
    created: Math.floor(deps.clock.now() / 1000),
    model: deps.generator.model,
  };
  const run = {
    request: toGenerationRequest(deps, generationId, { request, prompt }),
    signal: flight.signal,
  };
  const events = runCompletion(deps, run);
  context.header('cache-control', 'no-store');
  context.header('x-request-id', heading.id);
  if (!request.stream) return context.json(toCompletion(heading, await lastOf(events, flight.end)));
  const failed = (error: unknown) => {
    if (!flight.signal.aborted) deps.observer.failed(error);
  };
  const stream = await startEventStream({ events, flight, failed }, heading, request);
  context.header('content-type', 'text/event-stream; charset=utf-8');
  // nginx would hold the text back otherwise.
  context.header('x-accel-buffering', 'no');
  return context.body(stream);
}

async function lastOf(events: AsyncIterable<CompletionEvent>, end: () => void) {
  try {
    for await (const event of events) if (event.kind === 'end') return event.end;
    throw new Error('The completion ended without an end.');
  } finally {
    end();
  }
}

function toGenerationRequest(
  deps: CompletionDeps,
  generationId: string,
  { request, prompt }: { readonly request: CompletionRequest; readonly prompt: CompletionPrompt },
) {
  return {
    generationId,
    prompt: prompt.segments,
    written: '',
    selection: { kind: 'all', candidates: request.candidates },
    tokensMax: prompt.tokensMax,
    stop: [...deps.template.stop, ...request.stop],
    sampling: {
      ...deps.sampling,
      temperature: request.temperature ?? deps.sampling.temperature,
      topP: request.topP ?? deps.sampling.topP,
      seed: request.seed ?? deps.ids.seed(),
    },
  } as const;
}
