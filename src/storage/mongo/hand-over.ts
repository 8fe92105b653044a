import type { Claim } from './documents.ts';
import type { Models } from './models.ts';

/** Writes of a claim beside that of the conversation itself. Doing them twice does no harm. */
export async function handOver(models: Models, conversationId: string, { from, to }: Claim): Promise<void> {
  const own = { conversationId, userId: from };
  const owner = { $set: { userId: to } };
  await dropTakenRequests(models, conversationId, { from, to });
  await Promise.all([
    models.messages.updateMany(own, owner),
    models.messages.updateMany(
      { conversationId, 'request.userId': from },
      { $set: { 'request.userId': to } },
    ),
    models.promptTraces.updateMany(own, owner),
    models.preferences.updateMany(own, owner),
    models.sessionFeedback.updateMany(own, owner),
  ]);
}

/** Ids that both have used: those of the account stand. */
async function dropTakenRequests(
  { messages }: Models,
  conversationId: string,
  { from, to }: Claim,
): Promise<void> {
  const asked = await messages
    .find({ conversationId, 'request.userId': from }, { _id: 0, request: 1 })
    .lean();
  const clientIds = asked.flatMap(({ request }) => request?.clientId ?? []);
  const taken = await messages
    .find({ 'request.userId': to, 'request.clientId': { $in: clientIds } }, { _id: 0, request: 1 })
    .lean();
  if (taken.length === 0) return;
  await messages.updateMany(
    {
      conversationId,
      'request.userId': from,
      'request.clientId': { $in: taken.flatMap(({ request }) => request?.clientId ?? []) },
    },
    { $unset: { request: 1 } },
  );
}
