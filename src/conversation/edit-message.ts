/** Another version of a user message, beside it, with a reply of its own. */
import { stopBranch } from './stop-branch.ts';
import { findRepeatedMessage, type Sent, storeMessage } from './store-message.ts';
import { notAppended, type TurnDeps } from './take-turn.ts';

export interface EditRequest {
  readonly userId: string;
  readonly clientMessageId: string;
  /** The user message that gets another version. */
  readonly messageId: string;
  readonly text: string;
}

/**
 * What is being written below the old version stops, with the text that it has.
 *
 * @throws CodedError as `sendMessage`; `unsupported` for a message of the companion.
 */
export async function editMessage(deps: TurnDeps, request: EditRequest): Promise<Sent> {
  const { userId, clientMessageId, messageId } = request;
  const text = request.text.normalize('NFC');
  const body = { event: 'message:edit', messageId, text };
  const edited = await deps.store.message(userId, messageId);
  if (edited === null) {
    // It may have been deleted since.
    const repeated = await findRepeatedMessage(deps, { userId, clientMessageId, body });
    return repeated ?? notAppended(deps, { kind: 'not_found' });
  }
  const { conversationId } = edited;
  const place = { siblingOf: messageId };
  const sent = await storeMessage(deps, { userId, clientMessageId, conversationId, text, place, body });
  if (sent.kind === 'created') await stopBranch(deps, edited);
  return sent;
}
