import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';

/** The chat page. Files under /assets carry a hash in their name and never change; the rest is asked for again. */
export function addPageRoutes(app: Hono, directory: string): void {
  if (!existsSync(join(directory, 'index.html'))) {
    app.get('/', (context) =>
      context.text(
        'The page is not built: run `npm run build`, then start again. The API works without it.',
        503,
      ),
    );
    return;
  }
  app.use('/assets/*', async (context, next) => {
    await next();
    if (context.res.ok) context.header('cache-control', 'public, max-age=31536000, immutable');
  });
  app.use('*', async (context, next) => {
    await next();
    if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-cache');
  });
  app.get('*', serveStatic({ root: directory }));
}
