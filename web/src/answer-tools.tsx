/** What can be done with a message: step through its versions, ask for a new answer, react. */
import { useEffect } from 'preact/hooks';
import type { ChatMessage } from '../../src/client/state.ts';
import { type Answers, noCounts, type Step, toAnswers } from './answers.ts';
import type { Chat } from './chat.ts';
import { AgainIcon } from './icons.tsx';
import { Pager, stepInPlace } from './pager.tsx';
import { Reactions } from './reactions.tsx';
import type { Row } from './rows.ts';

interface RowProps {
  readonly row: Row;
  readonly chat: Chat;
}

export interface AnswerActs {
  readonly answers: Answers;
  /** Without a connection, or while a request is on its way, nothing can be stepped. */
  readonly isPaused: boolean;
  readonly canRegenerate: boolean;
  readonly step: (to: Step | null) => void;
  readonly regenerate: () => void;
}

function isEnded({ status }: ChatMessage): boolean {
  return status !== 'queued' && status !== 'running';
}

function isPausedNow({ state }: Chat): boolean {
  const { connection, outgoing } = state.value;
  return connection.state !== 'online' || outgoing.some(({ delivery }) => delivery === 'sending');
}

/** Only the newest reply offers alternatives and a new answer; an older one its versions. */
export function useAnswers({ row, chat }: RowProps): AnswerActs {
  const { message, isLast, key } = row;
  const isPaused = isPausedNow(chat);
  const isFinished = isEnded(message) && message.messageId !== null;
  const mayHaveAlternatives = isLast && isFinished && message.text !== '' && message.status !== 'failed';

  useEffect(() => {
    if (mayHaveAlternatives && !isPaused) chat.findAlternatives(message);
  }, [chat, mayHaveAlternatives, isPaused, message.messageId]);

  return {
    answers: isLast ? chat.answersOf(message) : toAnswers(message, [], noCounts),
    isPaused,
    canRegenerate: isLast && isFinished && !isPaused,
    step: (to) => stepInPlace(chat, `[data-row="${key}"]`, () => chat.step(message, to)),
    regenerate() {
      if (message.messageId === null) return;
      chat.client.regenerate(message.messageId);
      // The button goes with the answer that it belongs to.
      if (matchMedia('(hover: hover)').matches) chat.composer.current?.focus({ preventScroll: true });
    },
  };
}

export function AnswerTools({ row, chat, acts }: RowProps & { readonly acts: AnswerActs }) {
  const { message, isLast } = row;
  const { answers, isPaused, canRegenerate, step, regenerate } = acts;
  if (!isEnded(message) || message.messageId === null) return null;
  const canReact = message.text !== '';
  return (
    <div class="tools">
      {canReact && <Reactions message={message} client={chat.client} />}
      <div class="answers">
        {isLast && (
          <button
            type="button"
            class="tool"
            aria-label="New answer"
            title="New answer"
            aria-disabled={!canRegenerate}
            onClick={() => canRegenerate && regenerate()}
          >
            <AgainIcon />
          </button>
        )}
        <Pager answers={answers} label="Answers" isPaused={isPaused} onStep={step} />
      </div>
    </div>
  );
}

export function OwnVersions({ row, chat }: RowProps) {
  const { message, key } = row;
  const versions = toAnswers(message, [], noCounts);
  return (
    <Pager
      answers={versions}
      label="Versions of your message"
      isPaused={isPausedNow(chat)}
      onStep={(to) => stepInPlace(chat, `[data-row="${key}"]`, () => chat.step(message, to))}
    />
  );
}
