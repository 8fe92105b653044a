import { existing } from './filters.ts';
import type { Models } from './models.ts';

/** All that belongs to a conversation, but not itself. */
export async function removeBelongings(models: Models, conversationId: string): Promise<void> {
  await Promise.all([
    models.messages.deleteMany({ conversationId }),
    models.promptTraces.deleteMany({ conversationId }),
    models.preferences.deleteMany({ conversationId }),
    models.sessionFeedback.deleteMany({ conversationId }),
  ]);
}

/** What was written for a conversation that another process has deleted meanwhile: it may have come after the deletion had passed. */
export async function removeOrphans(models: Models, conversationId: string): Promise<void> {
  const isThere = (await models.conversations.exists({ _id: conversationId, ...existing })) !== null;
  if (!isThere) await removeBelongings(models, conversationId);
}
