import { describe, expect, it } from 'vitest';
import { Inbox } from '../../../src/pool/inbox.ts';

const joinLetters = (earlier: string, later: string) =>
  /[a-z]$/.test(earlier) && /^[a-z]/.test(later) ? earlier + later : null;

describe('what is on its way to the reader of a generation', () => {
  it('comes one by one to a reader that keeps up, and joined to one that does not', async () => {
    const inbox = new Inbox<string>(joinLetters);
    const read = inbox[Symbol.asyncIterator]();
    const seen: (string | undefined)[] = [];
    const next = async () => seen.push((await read.next()).value);
    for (const letter of ['a', 'b']) {
      inbox.push(letter);
      await next();
    }
    for (const one of ['c', 'd', '1', 'e', 'f', '2', '3']) inbox.push(one);
    inbox.close();
    for (let left = 0; left < 6; left += 1) await next();
    expect(seen).toEqual(['a', 'b', 'cd', '1', 'ef', '2', '3', undefined]);
  });

  it('comes to a reader that waits as soon as it is there', async () => {
    const inbox = new Inbox<string>(joinLetters);
    const read = inbox[Symbol.asyncIterator]();
    const first = read.next();
    inbox.push('a');
    expect((await first).value).toBe('a');
    inbox.close();
    inbox.push('b');
    expect((await read.next()).done).toBe(true);
  });
});
