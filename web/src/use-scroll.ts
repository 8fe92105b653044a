/**
 * Scrolling that follows the talk only while the reader is at its end. Whoever scrolled up stays where they are, also
 * when older pages come in above; a pill says that there is something new below.
 */
import { type Signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Chat } from './chat.ts';

interface Elements {
  readonly scroller: RefObject<HTMLElement | null>;
  /** What grows inside the scroller. */
  readonly content: RefObject<HTMLElement | null>;
}

interface Position {
  isAtBottom: boolean;
  top: number;
  /** Height of the content when it was last laid out. */
  height: number;
  firstKey: string | null;
}

/** Pixels within which the reader counts as being at the end. */
const bottomSlack = 48;
/** Pixels from the top at which the next older page is asked for. */
const olderSlack = 240;

function distanceToBottom(element: HTMLElement): number {
  return element.scrollHeight - element.clientHeight - element.scrollTop;
}

/**
 * Notes what the reader did since the last look. A move upwards lets go of the end, however small, and a move down to
 * the end takes hold of it again. Text that grows below moves nothing; content that shrinks leaves the view at its end.
 */
function noteMove(element: HTMLElement, at: Position): void {
  const distance = distanceToBottom(element);
  if (element.scrollTop < at.top - 1) at.isAtBottom = distance <= 1;
  else if (element.scrollTop > at.top && distance <= bottomSlack) at.isAtBottom = true;
  at.top = element.scrollTop;
}

/** Looks before it follows: a scroll that no event has told of yet must not be undone. */
function follow(element: HTMLElement, at: Position): void {
  noteMove(element, at);
  if (at.isAtBottom) element.scrollTop = element.scrollHeight;
  at.top = element.scrollTop;
  at.height = element.scrollHeight;
}

function jump(element: HTMLElement, at: Position): void {
  element.scrollTop = element.scrollHeight;
  at.top = element.scrollTop;
  at.height = element.scrollHeight;
  at.isAtBottom = true;
}

/** What was under the finger stays there while an answer of another length takes its place. */
function keepHeld(element: HTMLElement, at: Position, held: Chat['held']): void {
  const before = held.current;
  const after = before === null ? null : document.querySelector(before.selector);
  if (before === null || after === null) return;
  element.scrollTop += after.getBoundingClientRect().top - before.top;
  at.top = element.scrollTop;
  at.height = element.scrollHeight;
  at.isAtBottom = distanceToBottom(element) <= 1;
}

interface View {
  readonly elements: Elements;
  readonly at: Position;
  readonly hasNews: Signal<boolean>;
}

function useLatest(chat: Chat, { elements, at, hasNews }: View): void {
  const messages = chat.messages.value;
  const firstKey = messages[0]?.key ?? null;
  const newest = messages.at(-1);
  const newestKey = useRef<string | null>(null);
  const lastMessages = useRef(messages);

  useLayoutEffect(() => {
    const element = elements.scroller.current;
    if (element === null) return;
    const grewAbove = at.firstKey !== null && firstKey !== at.firstKey && !at.isAtBottom;
    if (grewAbove) {
      element.scrollTop += element.scrollHeight - at.height;
      at.top = element.scrollTop;
    }
    at.firstKey = firstKey;
    // One's own message is always shown: whoever sends wants to see it go.
    if (newest?.role === 'user' && newest.seq === null && newest.key !== newestKey.current) {
      jump(element, at);
    }
    newestKey.current = newest?.key ?? null;
    const isHeld = chat.held.current !== null && messages !== lastMessages.current;
    lastMessages.current = messages;
    if (isHeld) {
      keepHeld(element, at, chat.held);
      chat.held.current = null;
    } else follow(element, at);
  });

  const isFirst = useRef(true);
  const replyLength = messages.findLast(({ role }) => role === 'companion')?.text.length ?? 0;
  const key = newest?.key;
  useEffect(() => {
    if (!isFirst.current && !at.isAtBottom) hasNews.value = true;
    isFirst.current = false;
  }, [key, replyLength]);
}

export function useScroll(
  elements: Elements,
  chat: Chat,
): { readonly isAtBottom: boolean; readonly hasNews: boolean; readonly jumpToLatest: () => void } {
  const at = useRef<Position>({ isAtBottom: true, top: 0, height: 0, firstKey: null }).current;
  const isAtBottom = useSignal(true);
  const hasNews = useSignal(false);
  useLatest(chat, { elements, at, hasNews });

  useEffect(() => {
    const element = elements.scroller.current;
    const content = elements.content.current;
    if (element === null || content === null) return;
    const wantOlder = () => {
      if (element.scrollTop < olderSlack && chat.state.peek().fault?.about !== 'history') {
        void chat.client.loadOlder();
      }
    };
    const onScroll = () => {
      noteMove(element, at);
      isAtBottom.value = at.isAtBottom;
      if (at.isAtBottom) hasNews.value = false;
      wantOlder();
    };
    // A wheel turned upwards says it before the view has moved, and between two tokens there may be no time to move.
    const onWheel = (event: WheelEvent) => {
      if (event.deltaY < 0 && element.scrollTop > 0) at.isAtBottom = false;
    };
    // Covers what no render announces: a phone's keyboard, a rotated screen, a composer that grows.
    const resized = new ResizeObserver(() => {
      follow(element, at);
      wantOlder();
    });
    element.addEventListener('scroll', onScroll, { passive: true });
    element.addEventListener('wheel', onWheel, { passive: true });
    resized.observe(element);
    resized.observe(content);
    return () => {
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('wheel', onWheel);
      resized.disconnect();
    };
  }, [chat, elements.scroller, elements.content, at, isAtBottom, hasNews]);

  return {
    isAtBottom: isAtBottom.value,
    hasNews: hasNews.value,
    jumpToLatest() {
      const element = elements.scroller.current;
      if (element === null) return;
      jump(element, at);
      isAtBottom.value = true;
      hasNews.value = false;
    },
  };
}
