import type { PromptTrace } from '../../conversation/message.ts';
import type { PromptTraceDocument } from './documents.ts';
import { type Models, traceLifeSeconds } from './models.ts';

/** In the place of that of an earlier start. */
export async function putTrace(
  { promptTraces }: Models,
  { _id, ...fields }: Omit<PromptTraceDocument, 'storedAt'>,
): Promise<void> {
  await promptTraces.updateOne({ _id }, { $set: fields, $currentDate: { storedAt: true } }, { upsert: true });
}

/** The server takes expired ones away once a minute, and only by its own clock. */
export async function findTrace(
  { promptTraces }: Models,
  generationId: string,
  now: number,
): Promise<PromptTrace | null> {
  const found = await promptTraces.findById(generationId).lean<PromptTraceDocument>();
  if (found === null || found.createdAt <= now - traceLifeSeconds * 1000) return null;
  return found.trace;
}

/** Of a conversation, by generation. */
export async function findTraces(
  { promptTraces }: Models,
  conversationId: string,
  now: number,
): Promise<ReadonlyMap<string, Pick<PromptTraceDocument, 'createdAt' | 'trace'>>> {
  const found = await promptTraces.find({ conversationId }).lean<PromptTraceDocument[]>();
  const young = found.filter(({ createdAt }) => createdAt > now - traceLifeSeconds * 1000);
  return new Map(young.map(({ _id, createdAt, trace }) => [_id, { createdAt, trace }]));
}
