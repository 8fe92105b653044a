/**
 * The transcript template of "our experience of using the OpenAI API": a dialog as a text of which a plain language
 * model writes the next line. It has no special tokens, so nothing but the line structure tells who speaks:
 * line breaks inside a message become spaces, and a message can never open a line of its own.
 */
import type { PromptSegment } from './prompt-segment.ts';
import type { PromptTemplate, PromptTurn } from './prompt-template.ts';

const opening = 'The following is a dialog between two persons.';
const speaker = { user: '\nPerson A:', companion: '\nPerson B:' } as const;

export const transcriptTemplate: PromptTemplate = {
  id: 'transcript@1',
  stop: ['\nPerson', 'Person A:', 'Person B:', '\n'],
  render: (turns) => [
    ...turns.filter((turn) => turn.role === 'system').flatMap((turn) => [text(turn), template('\n')]),
    template(opening),
    ...turns.flatMap(toLine),
    template(speaker.companion),
  ],
};

function toLine(turn: PromptTurn): PromptSegment[] {
  if (turn.role === 'system') return [];
  return [template(speaker[turn.role]), { kind: 'text', text: ` ${inOneLine(turn.text)}` }];
}

const inOneLine = (words: string) => words.replace(/\s*[\r\n\u2028\u2029]+\s*/gu, ' ');
const text = (turn: PromptTurn): PromptSegment => ({ kind: 'text', text: inOneLine(turn.text) });
const template = (words: string): PromptSegment => ({ kind: 'template', text: words });
