/** HTTP on the port of the socket: health, metrics, guests, models, and the page. */
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { TokenVerifier } from '../auth/verify-token.ts';
import { CodedError, toWireError } from '../std/coded-error.ts';
import { addGuestRoute, type GuestIssuer } from './guests.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { addPageRoutes } from './page.ts';
import { statusOf } from './status.ts';

export interface HttpDeps {
  readonly readiness: Readiness;
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
  /** Absent outside guest mode. */
  readonly guests: GuestIssuer | null;
  readonly verifyToken: TokenVerifier;
  readonly models: () => readonly { readonly name: string }[];
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
  app.get('/v1/models', (context) => {
    const data = deps.models().map(({ name }) => ({ id: name, object: 'model', owned_by: 'amity' }));
    return context.json({ object: 'list', data });
  });
  addPageRoutes(app, deps.pageDirectory);
  app.notFound((context) => {
    const error = toWireError(
      new CodedError('not_found', `There is nothing at ${context.req.method} ${context.req.path}.`),
    );
    return context.json({ error }, 404);
  });
  app.onError((error, context) => {
    deps.onError(context.req.path, error);
    return context.json({ error: toWireError(error) }, statusOf(error));
  });
  return app;
}
