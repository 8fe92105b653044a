import { useRef } from 'preact/hooks';
import type { AmityClient } from '../../src/client/amity-client.ts';
import type { ChatMessage, ReactionKind } from '../../src/client/state.ts';
import { ReactionIcon } from './icons.tsx';
import { reactionWords } from './words.ts';

const kinds = Object.keys(reactionWords) as ReactionKind[];
const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

interface ReactionsProps {
  readonly message: ChatMessage;
  readonly client: AmityClient;
}

/** A toolbar in the sense of ARIA: one stop for Tab, arrow keys inside. One kind at a time; the same again takes it back. */
export function Reactions({ message, client }: ReactionsProps) {
  const bar = useRef<HTMLDivElement>(null);
  const { messageId, reaction } = message;
  if (messageId === null) return null;
  const chosen = reaction?.kind ?? null;

  const toggle = (kind: ReactionKind) => {
    void (kind === chosen ? client.clearReaction(messageId) : client.react(messageId, kind));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key];
    const buttons = [...(bar.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  };

  return (
    <div class="reactions" role="toolbar" aria-label="React to this reply" ref={bar} onKeyDown={onKeyDown}>
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          class={`reaction is-${kind}`}
          aria-pressed={kind === chosen}
          aria-label={reactionWords[kind]}
          title={reactionWords[kind]}
          tabIndex={kind === (chosen ?? kinds[0]) ? 0 : -1}
          onClick={() => toggle(kind)}
        >
          <ReactionIcon kind={kind} />
        </button>
      ))}
    </div>
  );
}
