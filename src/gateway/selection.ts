import type { Conversation } from '../conversation/message.ts';
import { tellDevices } from './devices.ts';
import type { Call } from './handler.ts';
import { findConversation } from './ownership.ts';
import { toWireConversation } from './to-wire.ts';

/**
 * Tells every device of the user which branch is selected, when it may be another one than before. For use after the
 * acknowledgement: what happened is stored, so an error here is no answer to it.
 */
export async function tellSelected(call: Call, conversationId: string): Promise<void> {
  emitConversation(call, await findConversation(call, conversationId));
}

export function emitConversation(call: Call, conversation: Conversation): void {
  tellDevices(call, 'conversation:updated', { conversation: toWireConversation(conversation) });
}
