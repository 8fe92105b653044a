import type { Conversation, Message } from '../conversation/message.ts';
import { tellDevices } from './devices.ts';
import type { Call } from './handler.ts';
import { findConversation } from './ownership.ts';
import { toWireConversation } from './to-wire.ts';

/**
 * Tells every device of the user which branch is selected, when it may be another one than before. For use after the
 * acknowledgement: what happened is stored, so an error here is no answer to it. Where it cannot be said, the devices are told that
 * they have missed something since the first message that is new.
 */
export async function tellSelected(
  call: Call,
  { conversationId, rev }: Pick<Message, 'conversationId' | 'rev'>,
): Promise<void> {
  try {
    emitConversation(call, await findConversation(call, conversationId));
  } catch (error) {
    tellDevices(call, 'conversation:gap', { conversationId, afterRev: rev - 1 });
    throw error;
  }
}

export function emitConversation(call: Call, conversation: Conversation): void {
  tellDevices(call, 'conversation:updated', { conversation: toWireConversation(conversation) });
}
