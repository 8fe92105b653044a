import type { Hono } from 'hono';

/** Why the server should get no traffic; empty when it is ready. */
export type Readiness = () => Promise<readonly string[]>;

export function addHealthRoutes(app: Hono, readiness: Readiness): void {
  app.get('/healthz', (context) => context.json({ status: 'alive' }));
  app.get('/readyz', async (context) => {
    const reasons = await readiness();
    if (reasons.length === 0) return context.json({ status: 'ready' });
    return context.json({ status: 'not_ready', reasons }, 503);
  });
}
