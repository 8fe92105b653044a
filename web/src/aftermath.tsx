import type { ChatMessage, RefusedRequest } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { AlertIcon } from './icons.tsx';
import type { Row } from './rows.ts';
import { faultText, finishNotes } from './words.ts';

interface TroubleProps {
  readonly text: string;
  readonly onRetry?: (() => void) | undefined;
  readonly onDiscard?: () => void;
}

function Trouble({ text, onRetry, onDiscard }: TroubleProps) {
  return (
    <div class="trouble">
      <AlertIcon />
      <span>{text}</span>
      {onRetry && (
        <button type="button" class="text-button" onClick={onRetry}>
          Try again
        </button>
      )}
      {onDiscard && (
        <button type="button" class="text-button" onClick={onDiscard}>
          Discard
        </button>
      )}
    </div>
  );
}

const refusedWords: Readonly<Record<RefusedRequest['kind'], string>> = {
  edit: 'Your change was not sent.',
  regenerate: 'No new answer was written.',
};

function RefusedTrouble({ refused, chat }: { readonly refused: RefusedRequest; readonly chat: Chat }) {
  const { kind, clientId, error } = refused;
  return (
    <Trouble
      text={`${refusedWords[kind]} ${faultText(error)}`}
      onRetry={() => chat.client.retry(clientId)}
      onDiscard={() => chat.client.discard(clientId)}
    />
  );
}

function ReplyNote({ message }: { readonly message: ChatMessage }) {
  if (message.status === 'cancelled') {
    return <p class="note">{message.text === '' ? 'You stopped this reply.' : 'Stopped'}</p>;
  }
  const { finishReason } = message;
  const text = finishReason == null ? undefined : finishNotes[finishReason];
  return text === undefined ? null : <p class="note">{text}</p>;
}

/** What went differently than hoped, and what can be done about it. */
export function Aftermath({ row: { message, isLast }, chat }: { readonly row: Row; readonly chat: Chat }) {
  const { client } = chat;
  const { delivery, key, messageId, error } = message;
  if (delivery === 'failed') {
    const why = error === null ? '' : faultText(error);
    return (
      <Trouble
        text={`Not sent. ${why}`}
        onRetry={() => client.retry(key)}
        onDiscard={() => client.discard(key)}
      />
    );
  }
  if (delivery === 'sending') {
    const isOnline = chat.state.value.connection.state === 'online';
    return <p class="note is-waiting">{isOnline ? 'Sending…' : 'Waiting for the connection'}</p>;
  }
  if (message.refused !== null) return <RefusedTrouble refused={message.refused} chat={chat} />;
  if (message.role === 'user') return null;
  if (message.status === 'failed') {
    const canRetry = isLast && messageId !== null;
    return (
      <Trouble
        text={error === null ? 'The reply broke off.' : faultText(error)}
        onRetry={canRetry ? () => client.regenerate(messageId) : undefined}
      />
    );
  }
  return <ReplyNote message={message} />;
}
