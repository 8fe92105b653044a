import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../../src/client/state.ts';
import { Aftermath } from './aftermath.tsx';
import { AnswerTools, OwnVersions, useAnswers } from './answer-tools.tsx';
import type { Chat } from './chat.ts';
import { EditForm } from './edit-form.tsx';
import { PencilIcon } from './icons.tsx';
import { stepOfKey } from './pager.tsx';
import type { Row } from './rows.ts';
import { useSwipe } from './use-swipe.ts';
import { companionName, dayText, timeText } from './words.ts';

interface RowProps {
  readonly row: Row;
  readonly chat: Chat;
}

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

export function MessageItem({ row, chat }: RowProps) {
  const { message, startsDay } = row;
  return (
    <>
      {startsDay && (
        <li class="day">
          <time dateTime={message.createdAt.slice(0, 10)}>{dayText(message.createdAt, new Date())}</time>
        </li>
      )}
      {message.role === 'user' ? <OwnMessage row={row} chat={chat} /> : <Reply row={row} chat={chat} />}
    </>
  );
}

/** On a touch screen nothing hovers: a tap on the bubble shows the time and what can be done. */
function useTap(): { readonly isOpen: boolean; readonly toggle: () => void } {
  const [isOpen, setOpen] = useState(false);
  const toggle = () => {
    if (matchMedia('(hover: none)').matches) setOpen(!isOpen);
  };
  return { isOpen, toggle };
}

function Time({ message }: { readonly message: ChatMessage }) {
  const { createdAt } = message;
  return (
    <time class="when" dateTime={createdAt} title={new Date(createdAt).toLocaleString()}>
      {timeText(createdAt)}
    </time>
  );
}

function OwnMessage({ row, chat }: RowProps) {
  const { message } = row;
  const { isOpen, toggle } = useTap();
  const pencil = useRef<HTMLButtonElement>(null);
  const { messageId } = message;
  const isEditing = messageId !== null && chat.editing.value === messageId;
  const close = () => {
    chat.editing.value = null;
  };
  const wasEditing = useRef(false);
  useEffect(() => {
    // Only where nothing else has taken the focus: a save goes on to the composer.
    if (wasEditing.current && !isEditing && document.activeElement === document.body) pencil.current?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);

  return (
    <li class={rowClass(row, isOpen)} data-row={row.key}>
      {isEditing ? (
        <EditForm message={message} chat={chat} onClose={close} />
      ) : (
        <div class="line">
          {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; keyboard and readers reach the buttons */}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
          <div class="bubble" onClick={toggle}>
            <span class="visually-hidden">You: </span>
            <span class="text">{message.text}</span>
          </div>
          <div class="side">
            {messageId !== null && message.delivery === 'sent' && (
              <button
                ref={pencil}
                type="button"
                class="tool pencil"
                aria-label="Edit your message"
                title="Edit"
                onClick={() => {
                  chat.editing.value = messageId;
                }}
              >
                <PencilIcon />
              </button>
            )}
            <Time message={message} />
          </div>
        </div>
      )}
      {!isEditing && <OwnVersions row={row} chat={chat} />}
      <Aftermath row={row} chat={chat} />
    </li>
  );
}

function Reply({ row, chat }: RowProps) {
  const { message, isLast } = row;
  const { isOpen, toggle } = useTap();
  const item = useRef<HTMLLIElement>(null);
  const acts = useAnswers({ row, chat });
  const { answers, isPaused, canRegenerate, step, regenerate } = acts;
  useSwipe(item, {
    label(direction) {
      if (!isLast || isPaused) return null;
      if (direction === 'right') return answers.previous === null ? null : 'Previous answer';
      if (answers.next !== null) return 'Next answer';
      return canRegenerate ? 'New answer' : null;
    },
    swiped(direction) {
      if (direction === 'right') step(answers.previous);
      else if (answers.next !== null) step(answers.next);
      else regenerate();
    },
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const to = stepOfKey(event, answers);
    if (to === undefined) return;
    event.preventDefault();
    if (!isPaused) step(to);
  };
  const isStepped = isLast && answers.total > 1;

  return (
    <li class={rowClass(row, isOpen)} data-row={row.key} ref={item}>
      <div class="line">
        {message.text !== '' && (
          // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; readers and touch reach the buttons
          <div
            class="bubble"
            onClick={toggle}
            onKeyDown={onKeyDown}
            {...(isStepped && {
              tabIndex: 0,
              role: 'group',
              'aria-label': `${companionName}’s answer. Left and right arrow keys show the others.`,
              'aria-keyshortcuts': 'ArrowLeft ArrowRight',
            })}
          >
            <span class="visually-hidden">{companionName}: </span>
            <span class="text">{message.text}</span>
          </div>
        )}
        <Time message={message} />
      </div>
      <Aftermath row={row} chat={chat} />
      <AnswerTools row={row} chat={chat} acts={acts} />
    </li>
  );
}
