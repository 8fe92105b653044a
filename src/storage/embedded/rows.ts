import type { Connection } from './connection.ts';
import { type ConversationRows, prepareConversationRows } from './conversation-rows.ts';
import { type GenerationRows, prepareGenerationRows } from './generation-rows.ts';
import { type MessageRows, prepareMessageRows } from './message-rows.ts';

/** What every operation needs: finding, adding and changing single rows. */
export interface Rows {
  readonly conversations: ConversationRows;
  readonly messages: MessageRows;
  readonly generations: GenerationRows;
}

export function prepareRows(connection: Connection): Rows {
  return {
    conversations: prepareConversationRows(connection),
    messages: prepareMessageRows(connection),
    generations: prepareGenerationRows(connection),
  };
}

/** For a row that this transaction has written or that a foreign key holds. */
export function stored<T>(row: T | null): T {
  if (row === null) throw new Error('A stored row is gone within its transaction.');
  return row;
}
