import { describe, expect, it } from 'vitest';
import { type Piece, Transcript } from '../../../src/cli/chat/transcript.ts';
import { onlyVersion } from '../../../src/client/messages.ts';
import { type ChatMessage, type ConversationState, initialState } from '../../../src/client/state.ts';

const message = (own: Partial<ChatMessage>): ChatMessage => ({
  key: 'k',
  messageId: 'm',
  seq: 1,
  rev: 1,
  parentId: null,
  siblings: onlyVersion,
  role: 'companion',
  text: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  delivery: 'sent',
  status: 'done',
  finishReason: 'stop',
  generationId: 'g',
  reaction: null,
  error: null,
  refused: null,
  ...own,
});
const said = (key: string, [seq, text]: readonly [number | null, string], own: Partial<ChatMessage> = {}) =>
  message({ key, seq, text, role: 'user', generationId: null, finishReason: null, ...own });
const reply = (key: string, [seq, text]: readonly [number, string], own: Partial<ChatMessage> = {}) =>
  message({ key, seq, text, ...own });
const running = { status: 'running', finishReason: null } as const;
const of = (...messages: ChatMessage[]): ConversationState => ({ ...initialState, messages });

/** As a person reads it. */
const read = (pieces: readonly Piece[]) =>
  pieces
    .map((piece) => {
      if (piece.kind === 'begin') return piece.mark === 'new' ? '<' : '<!';
      if (piece.kind === 'end') return `>${piece.note}`;
      if (piece.kind === 'silence') return `(${piece.note})`;
      if (piece.kind === 'unsent') return `unsent ${piece.message.text}`;
      return piece.kind === 'elsewhere' ? `@${piece.text}` : piece.text;
    })
    .join('');

describe('Transcript', () => {
  it('prints a reply as it grows, once', () => {
    const transcript = new Transcript();
    transcript.typed('u');
    const user = said('u', [1, 'Hi']);
    const printed = [
      of(said('u', [null, 'Hi'], { delivery: 'sending' })),
      of(user),
      of(user, reply('r', [2, ''], running)),
      of(user, reply('r', [2, 'Hel'], running)),
      of(user, reply('r', [2, 'Hello'], running)),
      of(user, reply('r', [2, 'Hello'], running)),
      of(user, reply('r', [2, 'Hello!'])),
      of(user, reply('r', [2, 'Hello!'])),
    ].map((state) => read(transcript.next(state)));
    expect(printed).toEqual(['', '', '', '<Hel', 'lo', '', '!>', '']);
  });

  it('prints nothing of what was there before, nor of older pages', () => {
    const transcript = new Transcript();
    transcript.skip(of(said('a', [5, 'Hi']), reply('b', [6, 'Hello'])));
    const older = [said('x', [1, 'Long ago']), reply('y', [2, 'Indeed'])];
    expect(transcript.next(of(...older, said('a', [5, 'Hi']), reply('b', [6, 'Hello'])))).toEqual([]);
  });

  it('goes on with a reply that was under way when it came', () => {
    const transcript = new Transcript();
    transcript.skip(of(said('a', [1, 'Hi']), reply('b', [2, 'Hel'], running)));
    expect(read(transcript.next(of(said('a', [1, 'Hi']), reply('b', [2, 'Hello'], running))))).toBe('<Hello');
  });

  it('prints what was said on another device, and what takes the place of a printed reply', () => {
    const transcript = new Transcript();
    expect(read(transcript.next(of(said('a', [1, 'Hi']), reply('b', [2, 'Hello']))))).toBe('@Hi<Hello>');
    expect(read(transcript.next(of(said('a', [1, 'Hi']), reply('b', [2, 'Hullo']))))).toBe('<!Hullo>');
  });

  it('ends the line of a reply that another interrupts', () => {
    const transcript = new Transcript();
    transcript.next(of(reply('a', [1, 'Hel'], running)));
    expect(read(transcript.next(of(reply('a', [1, 'Hel'], running), reply('b', [2, 'No']))))).toBe('><No>');
  });

  it('says how a reply ended that did not end by itself', () => {
    const failed = { status: 'failed', finishReason: null } as const;
    const end = (own: Partial<ChatMessage>) => read(new Transcript().next(of(reply('a', [1, 'Hel'], own))));
    expect(end({ status: 'cancelled', finishReason: 'cancelled' })).toBe('<Hel>[stopped]');
    expect(end(failed)).toMatch(/^<Hel>\[the reply broke off/);
    expect(end({ finishReason: 'canned' })).toContain('prepared');
    expect(end({ ...failed, text: '' })).toMatch(/^\(\[the reply broke off/);
    expect(end({ text: '', status: 'cancelled', finishReason: 'superseded' })).toBe('');
  });

  it('tells a reply that failed from one that was stopped', () => {
    const failures = (own: Partial<ChatMessage>) =>
      new Transcript()
        .next(of(reply('a', [1, 'Hel'], own)))
        .filter((piece) => 'isFailed' in piece && piece.isFailed).length;
    expect(failures({ status: 'failed', finishReason: null })).toBe(1);
    expect(failures({ status: 'failed', finishReason: null, text: '' })).toBe(1);
    expect(failures({ status: 'cancelled', finishReason: 'cancelled' })).toBe(0);
    expect(failures({})).toBe(0);
  });

  it('tells of a message that was not sent, once for each try', () => {
    const transcript = new Transcript();
    transcript.typed('u');
    const failed = of(said('u', [null, 'Hi'], { delivery: 'failed' }));
    expect(read(transcript.next(failed))).toBe('unsent Hi');
    expect(read(transcript.next(failed))).toBe('');
    transcript.next(of(said('u', [null, 'Hi'], { delivery: 'sending' })));
    expect(read(transcript.next(failed))).toBe('unsent Hi');
  });

  it('lets no text move the cursor or turn the line around', () => {
    const text = 'a\u001b[2Jb\u0007c\u202ed\te\nf\u009bg';
    expect(read(new Transcript().next(of(reply('a', [1, text]))))).toBe('<a[2Jbcd\te\nfg>');
  });
});
