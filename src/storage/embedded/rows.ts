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
