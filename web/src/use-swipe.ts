/**
 * Left and right by finger. Up and down stays with the browser (`touch-action: pan-y`), which ends the gesture with
 * `pointercancel` as soon as it scrolls.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Pixels after which a move is a swipe and no tap. */
const slack = 10;
/** Pixels after which letting go does something. */
const reach = 64;
/** The content follows the finger this far at most. */
const followMax = 96;

export interface SwipeActions {
  /** What letting go would do, in words; null where nothing lies in that direction. */
  label(direction: 'left' | 'right'): string | null;
  swiped(direction: 'left' | 'right'): void;
}

interface Gesture {
  readonly pointerId: number;
  readonly x: number;
  readonly y: number;
  isClaimed: boolean;
}

const directionOf = (dx: number) => (dx < 0 ? 'left' : 'right');

/** Shows on the row how far the finger has come, and what letting go would do. */
function show(row: HTMLElement, dx: number, label: string | null): void {
  const follow = Math.sign(dx) * Math.min(Math.abs(dx), followMax) * (label === null ? 0.25 : 1);
  row.style.setProperty('--pull', `${follow}px`);
  row.dataset['pull'] = label === null ? '' : label;
  row.classList.toggle('is-pulled-left', dx < 0);
  row.classList.toggle('is-pulled', dx !== 0);
  row.classList.toggle('is-ready', Math.abs(dx) >= reach && label !== null);
}

export function useSwipe(row: RefObject<HTMLElement | null>, actions: SwipeActions): void {
  // A render in the middle of a gesture must not end it.
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const element = row.current;
    if (element === null) return;
    let gesture: Gesture | null = null;
    const reset = () => {
      gesture = null;
      show(element, 0, null);
    };
    const onDown = (event: PointerEvent) => {
      const { pointerId, clientX: x, clientY: y } = event;
      if (event.pointerType === 'touch' && event.isPrimary) gesture = { pointerId, x, y, isClaimed: false };
    };
    const onMove = (event: PointerEvent) => {
      if (gesture === null || event.pointerId !== gesture.pointerId) return;
      const dx = event.clientX - gesture.x;
      const dy = event.clientY - gesture.y;
      if (!gesture.isClaimed) {
        if (Math.abs(dy) > slack) gesture = null;
        if (Math.abs(dx) <= slack || gesture === null) return;
        gesture.isClaimed = true;
        element.setPointerCapture(event.pointerId);
      }
      show(element, dx, latest.current.label(directionOf(dx)));
    };
    const onUp = (event: PointerEvent) => {
      if (gesture === null || event.pointerId !== gesture.pointerId) return;
      const dx = event.clientX - gesture.x;
      const { isClaimed } = gesture;
      reset();
      const direction = directionOf(dx);
      if (!isClaimed || Math.abs(dx) < reach || latest.current.label(direction) === null) return;
      latest.current.swiped(direction);
    };
    element.addEventListener('pointerdown', onDown);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', reset);
    return () => {
      element.removeEventListener('pointerdown', onDown);
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', reset);
    };
  }, [row]);
}
