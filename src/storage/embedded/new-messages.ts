import type { GenerationStatus, Message, Role } from '../../conversation/message.ts';
import type { Connection } from './connection.ts';
import { toStoredText } from './stored-text.ts';

export interface NewMessage {
  readonly messageId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly seq: number;
  readonly rev: number;
  readonly role: Role;
  readonly text: string;
  readonly status: GenerationStatus;
  readonly at: number;
  readonly parentId: string | null;
  readonly clientMessageId: string | null;
  readonly generationId: string | null;
}

type NewReplyMessage = Omit<NewMessage, 'role' | 'text' | 'status' | 'clientMessageId'>;

/** Statements that add messages; to be called inside a transaction. */
export function prepareNewMessages(connection: Connection) {
  const insert = connection.prepare(
    // By position: two of these come with every turn, and names cost each 1.3 µs.
    `INSERT INTO messages (message_id, conversation_id, user_id, seq, rev, born_rev, role, text, status, created_at,
       parent_id, client_message_id, generation_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
  );
  const insertMessage = (m: NewMessage) =>
    insert.run([
      m.messageId,
      m.conversationId,
      m.userId,
      m.seq,
      m.rev,
      m.role,
      toStoredText(m.text),
      m.status,
      m.at,
      m.parentId,
      m.clientMessageId,
      m.generationId,
    ]);

  return {
    insert: insertMessage,

    /** The companion message that will hold a reply. @returns it as the first of its versions. */
    insertEmptyReply(reply: NewReplyMessage): Message {
      // Each field by name, and the like below: see docs/adr/0016-literals-begin-with-their-own.md.
      const message: NewMessage = {
        messageId: reply.messageId,
        conversationId: reply.conversationId,
        userId: reply.userId,
        seq: reply.seq,
        rev: reply.rev,
        role: 'companion',
        text: '',
        status: 'queued',
        at: reply.at,
        parentId: reply.parentId,
        clientMessageId: null,
        generationId: reply.generationId,
      };
      insertMessage(message);
      return asFirstVersion(message);
    },
  };
}

/** What reading a message would give that was just inserted, without reading it. */
export function asFirstVersion(message: NewMessage): Message {
  return {
    messageId: message.messageId,
    conversationId: message.conversationId,
    userId: message.userId,
    seq: message.seq,
    rev: message.rev,
    role: message.role,
    text: message.text,
    status: message.status,
    createdAt: message.at,
    parentId: message.parentId,
    clientMessageId: message.clientMessageId,
    generationId: message.generationId,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
  };
}
