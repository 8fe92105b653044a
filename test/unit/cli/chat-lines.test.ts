import { describe, expect, it } from 'vitest';
import { help, parseLine } from '../../../src/cli/chat/commands.ts';

describe('parseLine', () => {
  it('says what is no command, without the white space around it', () => {
    expect(parseLine('  Hi there ')).toEqual({ kind: 'say', text: 'Hi there' });
    expect(parseLine('one\ntwo')).toEqual({ kind: 'say', text: 'one\ntwo' });
    expect(parseLine(' ')).toEqual({ kind: 'nothing' });
  });

  it('says a line that begins with a slash when there are two', () => {
    expect(parseLine('//stop it')).toEqual({ kind: 'say', text: '/stop it' });
  });

  it('reads the numbers and words of commands', () => {
    expect(parseLine('/choose 2')).toEqual({ kind: 'choose', place: 2 });
    expect(parseLine('/history')).toEqual({ kind: 'history', count: 10 });
    expect(parseLine('/history 25')).toEqual({ kind: 'history', count: 25 });
    expect(parseLine('/react love')).toEqual({ kind: 'react', reaction: 'love' });
    expect(parseLine('/unreact')).toEqual({ kind: 'react', reaction: null });
    expect(parseLine('/edit Two words\nand a line')).toEqual({ kind: 'edit', text: 'Two words\nand a line' });
  });

  it.each([
    ['/choose', '/choose 2'],
    ['/choose 0', '/choose 2'],
    ['/choose -1', '/choose 2'],
    ['/choose 1e9', '/choose 2'],
    ['/edit', '/edit I meant'],
    ['/react', 'one of: up'],
    ['/react sideways', 'one of: up'],
    ['/history x', '/history 20'],
    ['/reg', 'Did you mean /regenerate?'],
    ['/nope', '/help'],
    ['/', '/help'],
    ['/constructor', '/help'],
  ])('says what is wrong with %s', (line, hint) => {
    expect(parseLine(line)).toEqual({ kind: 'mistake', problem: expect.stringContaining(hint) });
  });

  it('knows every command that the help names', () => {
    const named = [...help.matchAll(/^\/(\w+)/gm)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(8);
    for (const name of named) {
      const { kind } = parseLine(`/${name} 1`);
      expect(kind === 'mistake' ? name : 'known').toMatch(/known|react/);
    }
  });
});
