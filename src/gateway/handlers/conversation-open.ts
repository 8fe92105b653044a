import type { Conversation, Message } from '../../conversation/message.ts';
import { openDefaultConversation } from '../../conversation/send-message.ts';
import { limits } from '../../protocol/limits.ts';
import type { Call, Handler, ParsedPayload } from '../handler.ts';
import { findConversation } from '../ownership.ts';
import { toWireConversation, toWireMessage } from '../to-wire.ts';

const rereadsMax = 3;

/** The newest page of a conversation, or what changed in it, together with the replies that are being written. */
export const conversationOpen: Handler<'conversation:open'> = async (call, payload, ack) => {
  const { session, replies } = call;
  const conversation =
    payload.conversationId === undefined
      ? await openDefaultConversation(call, session.userId)
      : await findConversation(call, payload.conversationId);
  const { conversationId, lastSeq } = conversation;
  const page = await readPageInStep(call, conversation, payload);

  // From here on in one tick: the text that is handed out ends exactly where the device's next deltas begin.
  const active = replies.active(conversationId);
  const activeGenerations = active.map(({ turn, stream, status }) => ({
    generationId: turn.generationId,
    messageId: turn.companion.messageId,
    replyTo: turn.user.messageId,
    text: stream.text,
    status,
    level: stream.level,
  }));
  session.join(conversationId);
  ack({
    conversation: toWireConversation(conversation),
    messages: page.messages.map(toWireMessage),
    lastSeq,
    hasMore: page.hasMore,
    activeGenerations,
    ...(page.deleted === undefined ? {} : { deletedMessageIds: [...page.deleted] }),
  });
  for (const reply of active) session.follow(reply);
};

/**
 * A reply may end between reading the page and looking for active replies: then the page shows it as unfinished, and nobody
 * would tell. So it is read again; each time another reply has to end in that moment.
 */
async function readPageInStep(
  call: Call,
  conversation: Conversation,
  payload: ParsedPayload<'conversation:open'>,
) {
  const isActive = (message: Message) =>
    call.replies
      .active(conversation.conversationId)
      .some(({ turn }) => turn.companion.messageId === message.messageId);
  const isUnfinished = ({ status }: Message) => status === 'queued' || status === 'running';
  let page = await readPage(call, conversation, payload);
  for (let again = 0; again < rereadsMax; again++) {
    if (!page.messages.some((message) => isUnfinished(message) && !isActive(message))) break;
    page = await readPage(call, conversation, payload);
  }
  return page;
}

interface OpenedPage {
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
  /** Ids of messages that are gone; of what changed only. */
  readonly deleted?: readonly string[];
}

async function readPage(
  { store }: Call,
  conversation: Conversation,
  { afterRev, limit = limits.pageDefault }: ParsedPayload<'conversation:open'>,
): Promise<OpenedPage> {
  const { conversationId, selectedLeafId: leafId } = conversation;
  if (afterRev !== undefined) {
    // In this order: what is deleted in between is taken out of what was read.
    const messages = await store.changedAfter(conversationId, afterRev);
    return { messages, hasMore: false, deleted: await store.deletedAfter(conversationId, afterRev) };
  }
  if (leafId === null) return { messages: [], hasMore: false };
  return store.branchPage({ conversationId, leafId, limit });
}
