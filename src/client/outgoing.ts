/** Pure: what the user asked for and the server has not acknowledged, and how it changes what is shown. */
import { hasId, type Messages, onlyVersion } from './messages.ts';
import type { ChatMessage, Outgoing } from './state.ts';

export type Asked = Pick<Outgoing, 'kind' | 'clientId' | 'targetId' | 'text'>;

function toDraft({ kind, clientId, text }: Asked, at: string): ChatMessage | null {
  if (kind === 'regenerate') return null;
  return {
    key: clientId,
    messageId: null,
    seq: null,
    rev: 0,
    parentId: null,
    siblings: onlyVersion,
    role: 'user',
    text,
    createdAt: at,
    delivery: 'sending',
    status: 'done',
    finishReason: null,
    generationId: null,
    reaction: null,
    error: null,
    refused: null,
  };
}

/** @param at when it was asked for, ISO 8601. */
export function toOutgoing(asked: Asked, at: string): Outgoing {
  return { ...asked, at, delivery: 'sending', error: null, draft: toDraft(asked, at) };
}

export function patchOutgoing(
  outgoing: readonly Outgoing[],
  clientId: string,
  patch: Pick<Outgoing, 'delivery' | 'error'>,
): readonly Outgoing[] {
  return outgoing.map((one) =>
    one.clientId === clientId
      ? { ...one, ...patch, draft: one.draft === null ? null : { ...one.draft, ...patch } }
      : one,
  );
}

/** Without those that `isDone` tells of; the same list when there are none. */
export function dropOutgoing(
  outgoing: readonly Outgoing[],
  isDone: (one: Outgoing) => boolean,
): readonly Outgoing[] {
  return outgoing.some(isDone) ? outgoing.filter((one) => !isDone(one)) : outgoing;
}

function refuse(messages: Messages, at: number, request: Outgoing): Messages {
  const target = messages[at];
  const { kind, clientId, text, error } = request;
  if (target === undefined || kind === 'send' || error === null) return messages;
  return messages.with(at, { ...target, refused: { kind, clientId, text, error } });
}

/**
 * The branch with what is on its way: an edit takes the place of its message and of all that hangs below it, a reply that
 * is written anew leaves its place empty. What failed changes nothing, and is told at the message that it was meant for.
 */
export function arrange(branch: Messages, outgoing: readonly Outgoing[]): Messages {
  let shown = branch;
  for (const one of outgoing) {
    const { kind, targetId, draft, delivery } = one;
    const at = targetId === null ? -1 : shown.findIndex(hasId(targetId));
    if (kind !== 'send' && delivery === 'failed') shown = refuse(shown, at, one);
    else {
      const before = at < 0 ? shown : shown.slice(0, at);
      shown = draft === null ? before : [...before, draft];
    }
  }
  return shown;
}
