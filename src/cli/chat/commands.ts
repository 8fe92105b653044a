/** What a line that was typed means. Pure. */
import type { ReactionKind } from '../../client/state.ts';

export type ChatCommand =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'help' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'regenerate' }
  | { readonly kind: 'alternatives' }
  | { readonly kind: 'choose'; readonly place: number }
  | { readonly kind: 'edit'; readonly text: string }
  | { readonly kind: 'react'; readonly reaction: ReactionKind | null }
  | { readonly kind: 'history'; readonly count: number }
  | { readonly kind: 'retry' }
  | { readonly kind: 'quit' }
  /** Cannot be done; `problem` says why, in a sentence. */
  | { readonly kind: 'mistake'; readonly problem: string };

const reactions = [
  'up',
  'down',
  'love',
  'funny',
  'meaningless',
  'offensive',
] as const satisfies ReactionKind[];

export const help = `/stop                stop the reply (Ctrl-C does the same)
/regenerate          have the last reply written once more
/alternatives        list other replies that were made
/choose N            show the N-th of them instead
/edit TEXT           write your last message anew
/react KIND          react to the last reply: ${reactions.join(', ')}
/unreact             take the reaction back
/history [N]         show the last N messages (10)
/retry               send again what failed
/quit                leave (Ctrl-D does the same)
A \\ at the end of a line continues the message on the next; // at the beginning sends a line that begins with /.`;

/** Words of commands, each with how it reads what follows. */
const readers: Readonly<Record<string, (rest: string) => ChatCommand>> = {
  help: () => ({ kind: 'help' }),
  stop: () => ({ kind: 'stop' }),
  regenerate: () => ({ kind: 'regenerate' }),
  alternatives: () => ({ kind: 'alternatives' }),
  choose: (rest) => {
    const place = toCount(rest);
    return place === null
      ? mistake('/choose needs a number of /alternatives, such as /choose 2.')
      : { kind: 'choose', place };
  },
  edit: (text) =>
    text === '' ? mistake('/edit needs the new text, such as /edit I meant tea.') : { kind: 'edit', text },
  react: (rest) => {
    const reaction = reactions.find((one) => one === rest);
    return reaction === undefined
      ? mistake(`/react needs one of: ${reactions.join(', ')}.`)
      : { kind: 'react', reaction };
  },
  unreact: () => ({ kind: 'react', reaction: null }),
  history: (rest) => {
    const count = rest === '' ? 10 : toCount(rest);
    return count === null
      ? mistake('/history takes a number, such as /history 20.')
      : { kind: 'history', count };
  },
  retry: () => ({ kind: 'retry' }),
  quit: () => ({ kind: 'quit' }),
};

export function parseLine(line: string): ChatCommand {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('//')) return { kind: 'say', text: text.slice(1) };
  if (!text.startsWith('/')) return { kind: 'say', text };
  const [, word = '', rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
  const read = Object.hasOwn(readers, word) ? readers[word] : undefined;
  if (read !== undefined) return read(rest.trim());
  const meant = Object.keys(readers).find((name) => word !== '' && name.startsWith(word));
  const hint = meant === undefined ? '/help lists the commands.' : `Did you mean /${meant}?`;
  return mistake(`There is no /${word}. ${hint}`);
}

function mistake(problem: string): ChatCommand {
  return { kind: 'mistake', problem };
}

function toCount(text: string): number | null {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}
