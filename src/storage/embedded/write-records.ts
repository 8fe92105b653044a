import type {
  ConversationRecord,
  GenerationRecord,
  MessageRecord,
  UserRecord,
} from '../../records/record.ts';
import type { Connection } from './connection.ts';
import { toColumns } from './generation-life.ts';
import { preparePromptTraces } from './prompt-traces.ts';
import type { Rows } from './rows.ts';
import { toStoredText } from './stored-text.ts';
import { prepareSettings } from './user-settings.ts';

/** Where a generation belongs. */
interface Place {
  readonly generationId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly messageId: string;
  readonly replyTo: string;
}

const storedOrNull = (text: string | null) => (text === null ? null : toStoredText(text));

/** Whole users and conversations, put in the place of what is there; to be called inside a transaction. */
export function prepareRecordWrites(connection: Connection, rows: Rows) {
  const statements = prepareStatements(connection);
  const settings = prepareSettings(connection);
  const putGeneration = prepareGenerations(connection, rows);

  function putMessage(record: ConversationRecord, message: MessageRecord, bornRev: number): void {
    const { conversationId, userId } = record;
    const { generation, reaction, externalId, ...columns } = message;
    const { messageId, generationId, parentId } = message;
    const text = toStoredText(message.text);
    statements.message.run({ ...columns, text, conversationId, userId, bornRev });
    if (externalId !== null) statements.externalId.run({ messageId, externalId });
    if (generation !== null && generationId !== null && parentId !== null)
      putGeneration({ generationId, conversationId, userId, messageId, replyTo: parentId }, generation);
    if (reaction !== null)
      statements.reaction.run({ ...reaction, comment: storedOrNull(reaction.comment), userId, messageId });
  }

  return {
    putUser({ userId, settings: kept, dailyTurns }: UserRecord): void {
      settings.remove(userId);
      if (kept !== null) settings.put(userId, kept);
      statements.forgetTurns.run([userId]);
      for (const { day, turns } of dailyTurns) statements.turns.run({ userId, day, turns });
    },

    putConversation(record: ConversationRecord): void {
      const { messages, deleted, requests, preferences, feedback, ...fields } = record;
      const { conversationId, userId } = record;
      // What is in its place leaves no turns to the user: those are in the record.
      statements.forgetToday.run([conversationId]);
      statements.remove.run([conversationId]);
      statements.conversation.run({
        ...{ ...fields, title: storedOrNull(fields.title), isDefault: Number(fields.isDefault) },
      });
      const bornRevs = lowestRevsFrom(messages);
      for (const [index, message] of messages.entries()) putMessage(record, message, bornRevs[index] ?? 0);
      for (const one of deleted) statements.deleted.run({ ...one, conversationId });
      for (const one of requests) statements.request.run({ ...one, conversationId, userId });
      for (const one of preferences) statements.preference.run({ ...one, userId });
      for (const one of feedback) statements.feedback.run({ ...one, conversationId, userId });
    },
  };
}

function prepareGenerations(connection: Connection, { generations }: Rows) {
  const insert = connection.prepare(
    `INSERT INTO generations (generation_id, conversation_id, user_id, message_id, reply_to, status, finish_reason, text,
       attempts, created_at, started_at, ended_at, model, template, seed, variant, shown_candidate_id, race, level, candidates,
       propensity)
     VALUES (:generationId, :conversationId, :userId, :messageId, :replyTo, :status, :finishReason, :text,
       :attempts, :createdAt, :startedAt, :endedAt, :model, :template, :seed, :variant, :shownCandidateId, :race, :level, :candidates,
       :propensity)`,
  );
  const traces = preparePromptTraces(connection);
  return (place: Place, generation: GenerationRecord) => {
    const { candidates, setup, race, trace, ...fields } = generation;
    const { generationId } = place;
    const isEnded = generation.endedAt !== null;
    insert.run({
      ...{ ...place, ...fields, ...toColumns(race) },
      ...(setup ?? { model: null, template: null, seed: null, variant: null }),
      text: isEnded ? toStoredText(generation.text) : '',
    });
    for (const candidate of candidates) generations.candidates.insert(generationId, candidate);
    if (!isEnded) generations.log.append({ generationId, offset: 0, text: generation.text });
    if (trace !== null) traces.put(generationId, trace.trace, trace.createdAt);
  };
}

/**
 * The `rev` with which each message was inserted is not in a record. In its place the lowest `rev` of it and all later ones: it grows with
 * `seq` as well, and tells the same messages from those that were changed since.
 */
function lowestRevsFrom(messages: readonly MessageRecord[]): number[] {
  const lowest: number[] = [];
  let least = Number.MAX_SAFE_INTEGER;
  for (const { rev } of [...messages].reverse()) {
    least = Math.min(least, rev);
    lowest.push(least);
  }
  return lowest.reverse();
}

function prepareStatements(connection: Connection) {
  return {
    forgetTurns: connection.prepare('DELETE FROM daily_turns WHERE user_id = ?'),
    turns: connection.prepare('INSERT INTO daily_turns (user_id, day, turns) VALUES (:userId, :day, :turns)'),
    forgetToday: connection.prepare(
      'UPDATE conversations SET turns_today = 0, turns_day = NULL WHERE conversation_id = ?',
    ),
    remove: connection.prepare('DELETE FROM conversations WHERE conversation_id = ?'),
    conversation: connection.prepare(
      `INSERT INTO conversations (conversation_id, user_id, title, persona_id, is_default, last_seq, last_read_seq, rev,
         selected_leaf_id, created_at, updated_at, turns_day, turns_today)
       VALUES (:conversationId, :userId, :title, :personaId, :isDefault, :lastSeq, :lastReadSeq, :rev,
         :selectedLeafId, :createdAt, :updatedAt, :turnsDay, :turnsToday)`,
    ),
    message: connection.prepare(
      `INSERT INTO messages (message_id, conversation_id, user_id, seq, rev, born_rev, role, text, status, created_at, parent_id,
         client_message_id, generation_id, finish_reason, shown_candidate_id, model, variant)
       VALUES (:messageId, :conversationId, :userId, :seq, :rev, :bornRev, :role, :text, :status, :createdAt, :parentId,
         :clientMessageId, :generationId, :finishReason, :shownCandidateId, :model, :variant)`,
    ),
    externalId: connection.prepare(
      'INSERT INTO external_ids (message_id, external_id) VALUES (:messageId, :externalId)',
    ),
    reaction: connection.prepare(
      'INSERT INTO reactions (user_id, message_id, kind, comment, at) VALUES (:userId, :messageId, :kind, :comment, :at)',
    ),
    deleted: connection.prepare(
      'INSERT INTO deleted_messages (conversation_id, rev, message_id) VALUES (:conversationId, :rev, :messageId)',
    ),
    request: connection.prepare(
      `INSERT INTO client_requests (user_id, client_id, conversation_id, body_hash, message_id, generation_id, seq, role)
       VALUES (:userId, :clientId, :conversationId, :bodyHash, :messageId, :generationId, :seq, :role)`,
    ),
    preference: connection.prepare(
      `INSERT INTO preferences (user_id, message_id, generation_id, previous_candidate_id, chosen_candidate_id, at)
       VALUES (:userId, :messageId, :generationId, :previousCandidateId, :chosenCandidateId, :at)`,
    ),
    feedback: connection.prepare(
      'INSERT INTO session_feedback (user_id, conversation_id, rating, at) VALUES (:userId, :conversationId, :rating, :at)',
    ),
  };
}
