import type { Answers, Step } from './answers.ts';
import type { Chat } from './chat.ts';
import { LeftIcon, RightIcon } from './icons.tsx';

interface PagerProps {
  readonly answers: Answers;
  /** What is stepped through: "Answers" or "Versions of your message". */
  readonly label: string;
  /** No step can be made now, or none in one direction; the arrows keep the focus. */
  readonly isPaused: boolean;
  readonly onStep: (step: Step | null) => void;
}

const arrows = { ArrowLeft: 'previous', ArrowRight: 'next' } as const;

/** The step that a key asks for; undefined for other keys and for keys that mean something else. */
export function stepOfKey(event: KeyboardEvent, answers: Answers): Step | null | undefined {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
    return undefined;
  }
  return event.key === 'ArrowLeft' || event.key === 'ArrowRight' ? answers[arrows[event.key]] : undefined;
}

/** `‹ 2/3 ›`: nothing where there is only one. */
export function Pager({ answers, label, isPaused, onStep }: PagerProps) {
  const { position, total, previous, next } = answers;
  if (total < 2) return null;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = stepOfKey(event, answers);
    if (step === undefined) return;
    event.preventDefault();
    if (!isPaused) onStep(step);
  };
  const arrow = (step: Step | null, name: string, icon: preact.ComponentChild) => (
    <button
      type="button"
      class="tool"
      aria-label={name}
      title={`${name} (${name === 'Previous' ? '←' : '→'})`}
      aria-disabled={step === null || isPaused}
      onClick={() => !isPaused && onStep(step)}
    >
      {icon}
    </button>
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div class="pager" role="group" aria-label={label} onKeyDown={onKeyDown}>
      {arrow(previous, 'Previous', <LeftIcon />)}
      <span class="place">
        <span class="visually-hidden">
          {position} of {total}
        </span>
        <span aria-hidden="true">
          {position}/{total}
        </span>
      </span>
      {arrow(next, 'Next', <RightIcon />)}
    </div>
  );
}

/** Steps, and keeps the arrows under the finger or pointer while what is around them changes. */
export function stepInPlace(chat: Chat, rowSelector: string, go: () => Promise<void>): void {
  const selector = `${rowSelector} .pager`;
  const top = document.querySelector(selector)?.getBoundingClientRect().top;
  if (top !== undefined) chat.held.current = { selector, top };
  void go();
}
