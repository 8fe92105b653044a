/** A dialog and a token budget -> a prompt, and a trace of what went in and why. */
import type { RankContext } from './generator.ts';
import type { Message, PromptPart, PromptTrace } from './message.ts';
import type { Persona } from './persona.ts';
import type { PromptSegment } from './prompt-segment.ts';
import type { PromptTemplate, PromptTurn, TokenCounter } from './prompt-template.ts';

/** Messages looked at for one prompt; more would not fit into any budget that the default models can hold. */
export const promptMessagesMax = 64;

/** Messages by which the beginning of a full prompt moves on. */
const strideMessages = 8;

export interface PromptSetup {
  readonly persona: Persona;
  readonly template: PromptTemplate;
  readonly counter: TokenCounter;
  /** Name of the model, for the trace. */
  readonly model: string;
  readonly budgetTokens: number;
}

export interface Prompt {
  readonly segments: readonly PromptSegment[];
  /** Segments at the beginning that are the same for everybody: up to the persona. */
  readonly publicSegments: number;
  /** What of the dialog the candidates are judged by. */
  readonly context: RankContext;
  readonly trace: PromptTrace;
}

/**
 * @param branch the messages that end in the user's newest one, oldest first. Empty ones are left out: they were never said.
 * So are fixed lines: the model has not said them, and would take them up.
 */
export function buildPrompt(setup: PromptSetup, branch: readonly Message[]): Prompt {
  const said = branch.filter((message) => message.text !== '' && !isFixedLine(message));
  const count = countThatFits(said, (newest) => tokensOf(setup, newest) <= setup.budgetTokens);
  // A full window has lost its beginning to the newest message already.
  const earliest = Math.max(said.length - count, branch.length < promptMessagesMax ? 0 : 1);
  const kept = said.slice(steadyStart(said, earliest));
  const recent = count > 0 ? kept : said.slice(-1).map((message) => cutToFit(setup, message));
  const segments = render(setup, recent);
  return {
    segments,
    publicSegments: countPublic(setup, segments),
    context: toContext(said),
    trace: toTrace(setup, { segments, recent, cut: count === 0 }),
  };
}

/** What somebody wrote may be the persona's very words, but never comes before them. */
function countPublic({ persona }: PromptSetup, segments: readonly PromptSegment[]): number {
  const first = segments.findIndex(({ kind }) => kind === 'text');
  return segments[first]?.text === persona.instructions ? first + 1 : 0;
}

const isFixedLine = ({ finishReason }: Message) => finishReason === 'canned' || finishReason === 'filtered';

function toContext(said: readonly Message[]): RankContext {
  const turns = toTurns(said);
  return {
    userTurn: turns.at(-1)?.text ?? '',
    ownTurns: turns.filter(({ role }) => role === 'companion').map(({ text }) => text),
  };
}

/** The largest number of newest messages that fit; more messages never need fewer tokens, so the search halves. */
function countThatFits(said: readonly Message[], fits: (newest: readonly Message[]) => boolean): number {
  let most = 0;
  let tooMany = said.length + 1;
  while (tooMany - most > 1) {
    const middle = (most + tooMany) >> 1;
    if (fits(said.slice(said.length - middle))) most = middle;
    else tooMany = middle;
  }
  return most;
}

/**
 * Where the prompt begins when the dialog is too long for it. A beginning that moved with every message would be new to the model
 * every time; so it stays where it is for `strideMessages`, then moves by as many, and what the model made of it before is of use
 * (engine/prefix-cache.ts). At most half of what would fit is given up for it.
 *
 * @param earliest index of the first message that fits
 */
function steadyStart(said: readonly Message[], earliest: number): number {
  const strides = said.map(({ seq }) => Math.floor(seq / strideMessages));
  const latest = (earliest + said.length) / 2;
  for (let start = earliest; earliest > 0 && start <= latest; start++) {
    if (strides[start] !== undefined && strides[start] !== strides[start - 1]) return start;
  }
  return earliest;
}

/** A message that alone is over the budget keeps its end: that is where the question stands. */
function cutToFit(setup: PromptSetup, message: Message): Message {
  const characters = Array.from(message.text);
  const ending = (length: number): Message => ({
    ...message,
    text: `…${characters.slice(-length).join('').trimStart()}`,
  });
  let most = 1;
  let tooMany = characters.length;
  while (tooMany - most > 1) {
    const middle = (most + tooMany) >> 1;
    if (tokensOf(setup, [ending(middle)]) <= setup.budgetTokens) most = middle;
    else tooMany = middle;
  }
  return ending(most);
}

const tokensOf = (setup: PromptSetup, messages: readonly Message[]) =>
  setup.counter.countTokens(render(setup, messages));

function render(setup: PromptSetup, messages: readonly Message[]): readonly PromptSegment[] {
  return setup.template.render([{ role: 'system', text: setup.persona.instructions }, ...toTurns(messages)]);
}

/** Messages in a row from one side are one turn: chat templates are made for two sides that alternate. */
function toTurns(messages: readonly Message[]): PromptTurn[] {
  const turns: PromptTurn[] = [];
  for (const message of messages) {
    const text = message.text.trim();
    const last = turns.at(-1);
    if (last?.role === message.role)
      turns[turns.length - 1] = { role: last.role, text: `${last.text}\n${text}` };
    else turns.push({ role: message.role, text });
  }
  return turns;
}

function toTrace(
  setup: PromptSetup,
  made: { segments: readonly PromptSegment[]; recent: readonly Message[]; cut: boolean },
): PromptTrace {
  const tokens = (text: string) => setup.counter.countTokens([{ kind: 'text', text }]);
  const persona: PromptPart = {
    kind: 'persona',
    text: setup.persona.instructions,
    tokens: tokens(setup.persona.instructions),
    reason: `persona ${setup.persona.name}`,
  };
  const newest = made.recent.at(-1);
  const recent = made.recent.map(
    (message): PromptPart => ({
      kind: 'recent',
      text: message.text,
      tokens: tokens(message.text),
      reason:
        message !== newest
          ? 'recent turn'
          : made.cut
            ? 'the message to answer, cut to the budget'
            : 'the message to answer',
      messageId: message.messageId,
    }),
  );
  return {
    template: setup.template.id,
    model: setup.model,
    promptTokens: setup.counter.countTokens(made.segments),
    budgetTokens: setup.budgetTokens,
    parts: [persona, ...recent],
  };
}
