/** HTTP on the port of the socket: health, metrics, guests, models, completions, and the page. */
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { TokenVerifier } from '../auth/verify-token.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import { CodedError, toWireError } from '../std/coded-error.ts';
import { addClaimRoute, type ClaimDeps } from './claim.ts';
import { addCompletionRoutes, type CompletionDeps } from './completions/routes.ts';
import { addGuestRoute, type GuestIssuer } from './guests.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { addMeRoutes, type MeDeps } from './me.ts';
import { addModelRoutes, type ServedModel } from './models.ts';
import { addPageRoutes } from './page.ts';
import { statusOf } from './status.ts';

export interface HttpDeps {
  readonly readiness: Readiness;
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
  /** Absent outside guest mode. */
  readonly guests: GuestIssuer | null;
  readonly rateLimits: RateLimits;
  /** Proxies of one's own before the server. */
  readonly proxyHops: number;
  readonly verifyToken: TokenVerifier;
  readonly claims: Pick<ClaimDeps, 'verifyGuest' | 'claim'>;
  readonly rights: MeDeps['rights'];
  readonly models: () => readonly ServedModel[];
  readonly completions: CompletionDeps;
  /** Directory of the built page. */
  readonly pageDirectory: string;
  readonly onError: (path: string, error: unknown) => void;
}

export function createHttpApp(deps: HttpDeps): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      strictTransportSecurity: false,
    }),
  );
  addHealthRoutes(app, deps.readiness);
  app.get('/metrics', async (context) => {
    context.header('content-type', deps.metrics.contentType);
    return context.body(await deps.metrics.text());
  });
  addGuestRoute(app, deps);
  addClaimRoute(app, { verifyToken: deps.verifyToken, ...deps.claims });
  addMeRoutes(app, deps);
  addModelRoutes(app, deps.models);
  addCompletionRoutes(app, deps.completions, () => deps.models().map(({ name }) => name));
  addPageRoutes(app, deps.pageDirectory);
  app.notFound((context) => {
    const error = toWireError(
      new CodedError('not_found', `There is nothing at ${context.req.method} ${context.req.path}.`),
    );
    return context.json({ error }, 404);
  });
  app.onError((error, context) => {
    deps.onError(context.req.path, error);
    if (error instanceof CodedError && error.retryAfterMs !== undefined)
      context.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
    return context.json({ error: toWireError(error) }, statusOf(error));
  });
  return app;
}
