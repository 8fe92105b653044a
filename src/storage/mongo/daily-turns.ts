import type { NotAppended, Quota } from '../../conversation/stores.ts';
import type { ConversationDocument, ConversationFields } from './documents.ts';
import type { Models } from './models.ts';

/** What a user has asked for on a day: each conversation counts its own, and `daily_turns` holds what deleted ones have left behind. */
async function countTurns(
  { conversations, dailyTurns }: Models,
  userId: string,
  day: string,
): Promise<number> {
  const [own, left] = await Promise.all([
    conversations.find({ userId, turnsDay: day }, { _id: 0, turnsToday: 1 }).lean(),
    dailyTurns.find({ userId, day }, { _id: 0, turns: 1 }).lean(),
  ]);
  const turns = [...own.map(({ turnsToday }) => turnsToday), ...left.map((one) => one.turns)];
  return turns.reduce((sum, one) => sum + one, 0);
}

/** Why a user may not have one more turn of this day: because they have had them all. */
export async function refuseOverQuota(
  models: Models,
  userId: string,
  quota: Quota | null,
): Promise<NotAppended | null> {
  if (quota === null) return null;
  return (await countTurns(models, userId, quota.day)) < quota.turnsMax ? null : { kind: 'over_quota' };
}

/** The conversation's own count with one turn more. */
export function withOneMore(
  { turnsDay, turnsToday }: ConversationDocument,
  quota: Quota | null,
): ConversationFields {
  if (quota === null) return {};
  return { turnsDay: quota.day, turnsToday: turnsDay === quota.day ? turnsToday + 1 : 1 };
}

/** A conversation's count outlives it. Doing this twice does no harm. */
export async function keepTurns({ dailyTurns }: Models, conversation: ConversationDocument): Promise<void> {
  const { _id: conversationId, userId, turnsDay: day, turnsToday: turns } = conversation;
  if (day === null) return;
  const fields = { userId, day, conversationId, turns };
  const update = { $set: fields, $currentDate: { storedAt: true } } as const;
  await dailyTurns.updateOne({ _id: conversationId }, update, { upsert: true });
}
