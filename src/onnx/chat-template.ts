import { Template } from '@huggingface/jinja';
import type { PromptSegment } from '../conversation/prompt-segment.ts';
import type { PromptTemplate, PromptTurn } from '../conversation/prompt-template.ts';
import { CodedError } from '../std/coded-error.ts';
import type { SpecialTokens } from './tokenizer.ts';

const CHAT_TEMPLATE_ID = 'chat@1';

/**
 * Names under which small models begin the other side's turn in plain text when they drift into writing the
 * whole dialog themselves. After a line break only: within a sentence they are words like any other.
 */
const ROLE_LABELS = ['\nUser:', '\nAssistant:', '\nHuman:', '\nSystem:'] as const;

/** A turn as the template gets it: a mark instead of a content, and what the mark stands for. */
interface Slot {
  readonly role: PromptTurn['role'];
  readonly content: readonly PromptSegment[];
}

/** What a template refuses or adds, found out by trying it. */
interface Traits {
  /** It throws at a system turn, or leaves it out: the system text then opens the first user turn. */
  readonly takesSystem: boolean;
  /** Without a system turn it writes one of its own. */
  readonly insertsSystem: boolean;
  /** It throws when a role speaks twice in a row, or when the companion speaks first. */
  readonly wantsAlternation: boolean;
}

/**
 * The model's own chat template (Jinja) as a PromptTemplate. The template never sees what people wrote: it is
 * rendered with marks of private-use characters, which are then replaced by `text` segments. So nothing
 * that is typed can be read as template, and nothing is trimmed or escaped.
 *
 * @throws CodedError `model_unavailable` when the template cannot be rendered at all.
 */
export function createChatTemplate(source: string, specials: SpecialTokens): PromptTemplate {
  const renderSlots = createRenderer(source, specials);
  const traits = probe(renderSlots);
  return {
    id: CHAT_TEMPLATE_ID,
    stop: [...turnMarkers(renderSlots, specials), ...ROLE_LABELS],
    render: (turns) => renderSlots(toSlots(turns, traits)),
  };
}

type RenderSlots = (slots: readonly Slot[]) => PromptSegment[];

function createRenderer(source: string, specials: SpecialTokens): RenderSlots {
  let template: Template;
  try {
    template = new Template(source);
  } catch (cause) {
    throw new CodedError('model_unavailable', "The model's chat template cannot be parsed.", { cause });
  }
  return (slots) => {
    const rendered = template.render({
      messages: slots.map((slot, index) => ({
        role: slot.role === 'companion' ? 'assistant' : slot.role,
        content: markOf(index),
      })),
      add_generation_prompt: true,
      bos_token: specials.bos ?? '',
      eos_token: specials.eos ?? '',
    });
    return split(rendered, slots);
  };
}

/** Private-use characters: no template mentions them, and what people type is never part of the render. */
function markOf(index: number): string {
  return `\uE000${index}\uE001`;
}

function split(rendered: string, slots: readonly Slot[]): PromptSegment[] {
  // With one group in the expression, the odd pieces are the indices of the marks.
  const pieces = rendered.split(/\uE000(\d+)\uE001/u);
  const segments = pieces.flatMap((piece, i): readonly PromptSegment[] =>
    i % 2 === 0 ? [{ kind: 'template', text: piece }] : (slots[Number(piece)]?.content ?? []),
  );
  return segments.filter((segment) => segment.text !== '');
}

const PROBE: Readonly<Record<PromptTurn['role'], Slot>> = {
  system: { role: 'system', content: [{ kind: 'text', text: 'S' }] },
  user: { role: 'user', content: [{ kind: 'text', text: 'U' }] },
  companion: { role: 'companion', content: [{ kind: 'text', text: 'C' }] },
};

function probe(render: RenderSlots): Traits {
  const { system, user, companion } = PROBE;
  const plain = attempt(() => render([user]));
  if (plain === null || !plain.some(isText('U'))) {
    throw new CodedError('model_unavailable', "The model's chat template cannot render a user's turn.");
  }
  const withSystem = attempt(() => render([system, user]));
  const takesSystem = withSystem?.some(isText('S')) === true;
  return {
    takesSystem,
    insertsSystem: takesSystem && withSystem !== null && insertsSystem(plain, withSystem),
    wantsAlternation:
      attempt(() => render([user, user])) === null || attempt(() => render([companion, user])) === null,
  };
}

/** Whether the render without a system turn is the one with it, only with other words in the system's place. */
function insertsSystem(plain: readonly PromptSegment[], withSystem: readonly PromptSegment[]): boolean {
  const before = (segments: readonly PromptSegment[], text: string) =>
    segments
      .slice(0, segments.findIndex(isText(text)))
      .map((segment) => segment.text)
      .join('');
  const opening = before(withSystem, 'S');
  const closing = before(withSystem, 'U').slice(opening.length + 'S'.length);
  const ownOpening = before(plain, 'U');
  return (
    ownOpening.length > opening.length + closing.length &&
    ownOpening.startsWith(opening) &&
    ownOpening.endsWith(closing)
  );
}

function toSlots(turns: readonly PromptTurn[], traits: Traits): Slot[] {
  let slots: Slot[] = turns.map(({ role, text }) => ({ role, content: [{ kind: 'text', text }] }));
  if (!traits.takesSystem) slots = foldSystem(slots);
  else if (traits.insertsSystem && slots[0]?.role !== 'system') {
    // An empty system turn of ours keeps out a persona that is not ours.
    slots = [{ role: 'system', content: [] }, ...slots];
  }
  return traits.wantsAlternation ? alternate(slots) : slots;
}

/** System turns become the opening of the user turn that follows them (or a user turn of their own). */
function foldSystem(slots: readonly Slot[]): Slot[] {
  const folded: Slot[] = [];
  let pending: readonly PromptSegment[] = [];
  for (const slot of slots) {
    if (slot.role === 'system') pending = joined(pending, slot.content);
    else if (slot.role === 'user') {
      folded.push({ role: 'user', content: joined(pending, slot.content) });
      pending = [];
    } else folded.push(slot);
  }
  return pending.length > 0 ? [...folded, { role: 'user', content: pending }] : folded;
}

/** One turn at a time, the user first: runs of one role are joined, a leading companion turn gets an empty one before it. */
function alternate(slots: readonly Slot[]): Slot[] {
  const result: Slot[] = [];
  for (const slot of slots) {
    const last = result.at(-1);
    const spoken = result.some(({ role }) => role !== 'system');
    if (last?.role === slot.role)
      result[result.length - 1] = { ...slot, content: joined(last.content, slot.content) };
    else if (!spoken && slot.role === 'companion') result.push({ role: 'user', content: [] }, slot);
    else result.push(slot);
  }
  return result;
}

function joined(first: readonly PromptSegment[], second: readonly PromptSegment[]): PromptSegment[] {
  if (first.length === 0 || second.length === 0) return [...first, ...second];
  return [...first, { kind: 'template', text: '\n\n' }, ...second];
}

/** The special tokens of a rendered dialog, spelled out: a model may also write them letter by letter. */
function turnMarkers(render: RenderSlots, specials: SpecialTokens): string[] {
  const { user, companion } = PROBE;
  const dialog = render([user, companion, user])
    .map((segment) => segment.text)
    .join('');
  return specials.all.filter((content) => dialog.includes(content));
}

function isText(text: string): (segment: PromptSegment) => boolean {
  return (segment) => segment.kind === 'text' && segment.text === text;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
