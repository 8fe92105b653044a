import { useEffect, useRef } from 'preact/hooks';
import type { ChatMessage } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { companionName, faultText } from './words.ts';

function announcement(message: ChatMessage): string {
  if (message.status === 'failed') {
    return message.error === null ? 'The reply broke off.' : faultText(message.error);
  }
  return message.text === '' ? '' : `${companionName}: ${message.text}`;
}

function isEndedReply({ role, status }: ChatMessage): boolean {
  return role === 'companion' && status !== 'queued' && status !== 'running';
}

/** Reads whole replies to those who listen: each once, at its end, and none of the history. */
export function Announcer({ chat }: { readonly chat: Chat }) {
  const { spoken } = chat;
  /** `seq` of the newest reply that was said or was there before; null until the history is. */
  const spokenSeq = useRef<number | null>(null);
  const { loaded, messages } = chat.state.value;

  useEffect(() => {
    if (!loaded) return;
    const newest = messages.findLast(isEndedReply);
    const seq = newest?.seq ?? 0;
    if (spokenSeq.current !== null && newest !== undefined && seq > spokenSeq.current) {
      spoken.value = announcement(newest);
    }
    spokenSeq.current = Math.max(seq, spokenSeq.current ?? 0);
  }, [loaded, messages, spoken]);

  return (
    <div class="visually-hidden" aria-live="polite" aria-atomic="true">
      {spoken}
    </div>
  );
}
