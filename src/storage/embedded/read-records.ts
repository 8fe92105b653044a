import type { FeedbackRating } from '../../conversation/stores.ts';
import type {
  ConversationRecord,
  GenerationRecord,
  MessageRecord,
  PreferenceRecord,
  RequestRecord,
  UserRecord,
} from '../../records/record.ts';
import type { IdPage, RecordStore } from '../../records/stores.ts';
import type { Connection } from './connection.ts';
import { type ConversationRow, conversationFields } from './conversation-rows.ts';
import { preparePromptTraces } from './prompt-traces.ts';
import type { Rows } from './rows.ts';
import { prepareSettings } from './user-settings.ts';

type Asked = Parameters<RecordStore['conversationRecord']>[0];

interface RecordedRow extends ConversationRow {
  readonly is_default: number;
  readonly turns_day: string | null;
  readonly turns_today: number;
}

/** Whole users and conversations, as they are kept; to be called inside a transaction. */
export function prepareRecordReads(connection: Connection, { messages, generations }: Rows) {
  const lists = prepareLists(connection);
  const settings = prepareSettings(connection);
  const traces = preparePromptTraces(connection);
  const conversation = connection.prepare<RecordedRow>(
    'SELECT * FROM conversations WHERE conversation_id = ? AND user_id = ?',
  );

  function generationRecord(generationId: string, at: number): GenerationRecord | null {
    const generation = generations.find(generationId);
    if (generation === null) return null;
    const {
      generationId: _,
      conversationId: __,
      userId: ___,
      messageId: ____,
      replyTo: _____,
      ...kept
    } = generation;
    return { ...kept, trace: traces.find(generationId, at) };
  }

  function messageRecords(conversationId: string, at: number): MessageRecord[] {
    const externalIds = new Map(
      lists.externalIds.all([conversationId]).map(({ messageId, externalId }) => [messageId, externalId]),
    );
    return messages.changedAfter(conversationId, -1).map((message) => {
      const { conversationId: _, userId: __, siblings: ___, ...kept } = message;
      const { generationId } = message;
      const externalId = externalIds.get(message.messageId) ?? null;
      return {
        ...kept,
        externalId,
        generation: generationId === null ? null : generationRecord(generationId, at),
      };
    });
  }

  return {
    userIds: ({ after, limit }: IdPage): string[] =>
      lists.users.all({ after: after ?? '', limit }).map((row) => row.id),

    conversationIds: ({ userId, after, limit }: IdPage & { readonly userId: string }): string[] =>
      lists.conversations.all({ userId, after: after ?? '', limit }).map((row) => row.id),

    conversationAges: ({ after, limit }: IdPage) => lists.ages.all({ after: after ?? '', limit }),

    userRecord: (userId: string): UserRecord => ({
      userId,
      settings: settings.find(userId),
      dailyTurns: lists.dailyTurns.all([userId]),
    }),

    conversationRecord({ userId, conversationId, at }: Asked): ConversationRecord | null {
      const row = conversation.first([conversationId, userId]);
      if (row === undefined) return null;
      return {
        ...toFields(row),
        messages: messageRecords(conversationId, at),
        deleted: lists.deleted.all([conversationId]),
        requests: lists.requests.all([userId, conversationId]),
        preferences: lists.preferences.all([conversationId]),
        feedback: lists.feedback.all([conversationId]),
      };
    },
  };
}

function toFields(row: RecordedRow) {
  return {
    ...conversationFields(row),
    isDefault: row.is_default === 1,
    turnsDay: row.turns_day,
    turnsToday: row.turns_today,
  };
}

/** Rows that are records already. */
function prepareLists(connection: Connection) {
  return {
    users: connection.prepare<{ id: string }>(
      `SELECT id FROM (SELECT user_id AS id FROM conversations WHERE user_id > :after
         UNION SELECT user_id FROM user_settings WHERE user_id > :after
         UNION SELECT user_id FROM daily_turns WHERE user_id > :after) ORDER BY id LIMIT :limit`,
    ),
    conversations: connection.prepare<{ id: string }>(
      `SELECT conversation_id AS id FROM conversations WHERE user_id = :userId AND conversation_id > :after
       ORDER BY conversation_id LIMIT :limit`,
    ),
    ages: connection.prepare<{ conversationId: string; userId: string; updatedAt: number }>(
      `SELECT conversation_id AS conversationId, user_id AS userId, updated_at AS updatedAt FROM conversations
       WHERE conversation_id > :after ORDER BY conversation_id LIMIT :limit`,
    ),
    dailyTurns: connection.prepare<{ day: string; turns: number }>(
      'SELECT day, turns FROM daily_turns WHERE user_id = ? ORDER BY day',
    ),
    externalIds: connection.prepare<{ messageId: string; externalId: string }>(
      `SELECT e.message_id AS messageId, e.external_id AS externalId
       FROM messages m JOIN external_ids e USING (message_id) WHERE m.conversation_id = ?`,
    ),
    deleted: connection.prepare<{ messageId: string; rev: number }>(
      `SELECT message_id AS messageId, rev FROM deleted_messages WHERE conversation_id = ? ORDER BY rev, message_id`,
    ),
    requests: connection.prepare<RequestRecord>(
      `SELECT client_id AS clientId, body_hash AS bodyHash, message_id AS messageId, seq, role,
         generation_id AS generationId
       FROM client_requests WHERE user_id = ? AND conversation_id = ? ORDER BY client_id`,
    ),
    preferences: connection.prepare<PreferenceRecord>(
      `SELECT p.message_id AS messageId, p.generation_id AS generationId,
         p.previous_candidate_id AS previousCandidateId, p.chosen_candidate_id AS chosenCandidateId, p.at
       FROM messages m JOIN preferences p ON p.message_id = m.message_id WHERE m.conversation_id = ?
       ORDER BY p.at, p.generation_id, p.chosen_candidate_id`,
    ),
    feedback: connection.prepare<{ rating: FeedbackRating; at: number }>(
      'SELECT rating, at FROM session_feedback WHERE conversation_id = ? ORDER BY at, rating',
    ),
  };
}
