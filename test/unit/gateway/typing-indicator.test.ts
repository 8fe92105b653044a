/** The dots stand while anything is written, are renewed, and always go. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TypingIndicator } from '../../../src/gateway/typing-indicator.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const shown: string[] = [];
  const indicator = new TypingIndicator(({ conversationId, typing, ttlMs }) => {
    expect(ttlMs).toBe(5000);
    shown.push(`${conversationId} ${typing ? 'on' : 'off'}`);
  });
  return { shown, indicator };
}

describe('TypingIndicator', () => {
  it('is renewed every 2.5 s until it ends, and then not any more', () => {
    const { shown, indicator } = setUp();
    indicator.begin('c');
    vi.advanceTimersByTime(5000);
    indicator.end('c');
    vi.advanceTimersByTime(10_000);
    expect(shown).toEqual(['c on', 'c on', 'c on', 'c off']);
  });

  it('stands until the last reply of a conversation has ended', () => {
    const { shown, indicator } = setUp();
    indicator.begin('c');
    indicator.begin('c');
    indicator.end('c');
    expect(shown).toEqual(['c on']);
    indicator.end('c');
    indicator.end('c');
    expect(shown).toEqual(['c on', 'c off']);
  });

  it('keeps conversations apart, and says nothing after the device is gone', () => {
    const { shown, indicator } = setUp();
    indicator.begin('a');
    indicator.begin('b');
    indicator.end('a');
    indicator.close();
    vi.advanceTimersByTime(10_000);
    indicator.end('b');
    expect(shown).toEqual(['a on', 'b on', 'a off']);
  });
});
