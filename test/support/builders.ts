/** Domain objects for tests: complete, with what a test names. */
import type { Message } from '../../src/conversation/message.ts';
import type { Turn } from '../../src/conversation/reply.ts';

let sequence = 0;

export function aMessage(own: Partial<Message> = {}): Message {
  sequence += 1;
  return {
    messageId: `m_${sequence}`,
    conversationId: 'c_1',
    userId: 'u_1',
    seq: sequence,
    rev: sequence,
    role: 'user',
    text: `message ${sequence}`,
    status: 'done',
    createdAt: 0,
    parentId: null,
    clientMessageId: null,
    generationId: null,
    finishReason: null,
    shownCandidateId: null,
    model: null,
    variant: null,
    reaction: null,
    siblings: { index: 0, count: 1 },
    ...own,
  };
}

/** @param parentId the companion message that the answered message hangs on. */
export function aTurn(name: string, parentId: string | null = null): Turn {
  return {
    generationId: `g_${name}`,
    conversationId: 'c_1',
    userId: 'u_1',
    user: aMessage({ messageId: `m_user_${name}`, parentId }),
    companion: aMessage({ messageId: `m_${name}`, role: 'companion', text: '', status: 'queued' }),
  };
}
