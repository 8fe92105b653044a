import { useState } from 'preact/hooks';
import type { ChatMessage } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { AlertIcon } from './icons.tsx';
import { Reactions } from './reactions.tsx';
import { askedBefore, type Row } from './rows.ts';
import { companionName, dayText, faultText, timeText } from './words.ts';

function rowClass({ message, followsOwn, isLast }: Row, isOpen: boolean): string {
  const isLive = message.role === 'companion' && message.status === 'running';
  return [
    'message',
    `is-${message.role}`,
    followsOwn && 'follows-own',
    isLast && 'is-last',
    isLive && 'is-live',
    isOpen && 'is-open',
    message.delivery !== 'sent' && `is-${message.delivery}`,
    message.reaction !== null && 'has-reaction',
  ]
    .filter(Boolean)
    .join(' ');
}

function canReact(message: ChatMessage): boolean {
  const isEnded = message.status !== 'queued' && message.status !== 'running';
  return message.role === 'companion' && message.messageId !== null && isEnded && message.text !== '';
}

export function MessageItem({ row, chat }: { readonly row: Row; readonly chat: Chat }) {
  const { message, startsDay } = row;
  // On a touch screen nothing hovers: a tap on the bubble shows time and reactions.
  const [isOpen, setOpen] = useState(false);
  const toggle = () => {
    if (matchMedia('(hover: none)').matches) setOpen(!isOpen);
  };
  return (
    <>
      {startsDay && (
        <li class="day">
          <time dateTime={message.createdAt.slice(0, 10)}>{dayText(message.createdAt, new Date())}</time>
        </li>
      )}
      <li class={rowClass(row, isOpen)}>
        <div class="line">
          {message.text !== '' && (
            // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; keyboard and readers reach the buttons
            // biome-ignore lint/a11y/useKeyWithClickEvents: as above
            <div class="bubble" onClick={toggle}>
              <span class="visually-hidden">{message.role === 'user' ? 'You' : companionName}: </span>
              <span class="text">{message.text}</span>
            </div>
          )}
          <time
            class="when"
            dateTime={message.createdAt}
            title={new Date(message.createdAt).toLocaleString()}
          >
            {timeText(message.createdAt)}
          </time>
        </div>
        <Aftermath row={row} chat={chat} />
        {canReact(message) && <Reactions message={message} client={chat.client} />}
      </li>
    </>
  );
}

/** What went differently than hoped, and what can be done about it. */
function Aftermath({ row: { message, isLast }, chat }: { readonly row: Row; readonly chat: Chat }) {
  const { client } = chat;
  if (message.delivery === 'failed') {
    const why = message.error === null ? '' : faultText(message.error);
    return <Trouble text={`Not sent. ${why}`} onRetry={() => client.retry(message.key)} />;
  }
  if (message.delivery === 'sending') {
    const isOnline = chat.state.value.connection.state === 'online';
    return <p class="note is-waiting">{isOnline ? 'Sending…' : 'Waiting for the connection'}</p>;
  }
  if (message.role === 'companion' && message.status === 'failed') {
    const asked = isLast ? askedBefore(chat.messages.value, message) : null;
    const text = message.error === null ? 'The reply broke off.' : faultText(message.error);
    return asked === null ? (
      <Trouble text={text} />
    ) : (
      <Trouble text={text} onRetry={() => client.send(asked.text)} />
    );
  }
  if (message.role === 'companion' && message.status === 'cancelled') {
    return <p class="note">{message.text === '' ? 'You stopped this reply.' : 'Stopped'}</p>;
  }
  return null;
}

function Trouble({ text, onRetry }: { readonly text: string; readonly onRetry?: () => void }) {
  return (
    <div class="trouble">
      <AlertIcon />
      <span>{text}</span>
      {onRetry && (
        <button type="button" class="text-button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
