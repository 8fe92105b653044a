/** `/v1/models`, as OpenAI's clients read it. */
import type { Hono } from 'hono';
import { answerRefusal, invalidRequest } from './completions/refusal.ts';

export interface ServedModel {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export function addModelRoutes(app: Hono, models: () => readonly ServedModel[]): void {
  app.get('/v1/models', (context) => context.json({ object: 'list', data: models().map(toWire) }));
  app.get('/v1/models/:name', (context) => {
    const name = context.req.param('name');
    const model = models().find((one) => one.name === name);
    if (model !== undefined) return context.json(toWire(model));
    const more = { param: 'model', code: 'model_not_found', status: 404 } as const;
    return answerRefusal(context, invalidRequest(`There is no model ${JSON.stringify(name)} here.`, more));
  });
}

const toWire = ({ name, createdAt }: ServedModel) => ({
  id: name,
  object: 'model',
  created: Math.floor(createdAt / 1000),
  owned_by: 'amity',
});
