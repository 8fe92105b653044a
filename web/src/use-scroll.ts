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

/** Notes what the reader did. Only a move upwards lets go of the end: text that grows below is no such move. */
function noteScroll(element: HTMLElement, at: Position): void {
  const movedUp = element.scrollTop < at.top - 1;
  const near = distanceToBottom(element) <= bottomSlack;
  if (near) at.isAtBottom = true;
  else if (movedUp) at.isAtBottom = false;
  at.top = element.scrollTop;
}

function stickToBottom(element: HTMLElement, at: Position): void {
  if (at.isAtBottom) element.scrollTop = element.scrollHeight;
  at.top = element.scrollTop;
  at.height = element.scrollHeight;
}

function useLatest(chat: Chat, at: Position, elements: Elements, hasNews: Signal<boolean>): void {
  const messages = chat.messages.value;
  const firstKey = messages[0]?.key ?? null;
  const newest = messages.at(-1);
  const newestKey = useRef<string | null>(null);

  useLayoutEffect(() => {
    const element = elements.scroller.current;
    if (element === null) return;
    const grewAbove = at.firstKey !== null && firstKey !== at.firstKey && !at.isAtBottom;
    if (grewAbove) element.scrollTop = at.top + element.scrollHeight - at.height;
    at.firstKey = firstKey;
    // One's own message is always shown: whoever sends wants to see it go.
    if (newest?.role === 'user' && newest.seq === null && newest.key !== newestKey.current)
      at.isAtBottom = true;
    newestKey.current = newest?.key ?? null;
    stickToBottom(element, at);
  });

  const isFirst = useRef(true);
  const newestLength = newest?.text.length ?? 0;
  const key = newest?.key;
  useEffect(() => {
    if (!isFirst.current && !at.isAtBottom) hasNews.value = true;
    isFirst.current = false;
  }, [key, newestLength]);
}

export function useScroll(
  elements: Elements,
  chat: Chat,
): { readonly isAtBottom: boolean; readonly hasNews: boolean; readonly jumpToLatest: () => void } {
  const at = useRef<Position>({ isAtBottom: true, top: 0, height: 0, firstKey: null }).current;
  const isAtBottom = useSignal(true);
  const hasNews = useSignal(false);
  useLatest(chat, at, elements, hasNews);

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
      noteScroll(element, at);
      isAtBottom.value = at.isAtBottom;
      if (at.isAtBottom) hasNews.value = false;
      wantOlder();
    };
    // Covers what no render announces: a phone's keyboard, a rotated screen, a composer that grows.
    const resized = new ResizeObserver(() => {
      stickToBottom(element, at);
      wantOlder();
    });
    element.addEventListener('scroll', onScroll, { passive: true });
    resized.observe(element);
    resized.observe(content);
    return () => {
      element.removeEventListener('scroll', onScroll);
      resized.disconnect();
    };
  }, [chat, elements.scroller, elements.content, at, isAtBottom, hasNews]);

  return {
    isAtBottom: isAtBottom.value,
    hasNews: hasNews.value,
    jumpToLatest() {
      const element = elements.scroller.current;
      if (element === null) return;
      at.isAtBottom = true;
      isAtBottom.value = true;
      hasNews.value = false;
      stickToBottom(element, at);
    },
  };
}
