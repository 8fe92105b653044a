import type { Clock } from '../std/clock.ts';
import type { Message } from './message.ts';
import { promptMessagesMax } from './prompt.ts';
import type { Turn } from './reply.ts';
import type { ConversationStore } from './stores.ts';

/** Characters in all windows that are held; those that were used least recently make room. */
const charactersMax = 2_000_000;
/** Who has said nothing for so long has most likely gone. */
const heldMs = 5 * 60_000;

/** The newest messages of a branch, as a prompt is made of them, up to the end of a reply. */
interface Window {
  readonly messages: readonly Message[];
  readonly characters: number;
  /** Monotonic milliseconds. */
  readonly keptAt: number;
}

/**
 * What the last turn of a conversation has read, kept for the next one: it need not read the history again where nothing has changed but
 * by these turns themselves. Whether that is so is read off `rev`, which grows with every change, whoever makes it.
 */
export class Windows {
  readonly #store: Pick<ConversationStore, 'branchPage' | 'conversation'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** By conversation, the one used last at the end. */
  readonly #held = new Map<string, Window>();
  #characters = 0;

  constructor(
    store: Pick<ConversationStore, 'branchPage' | 'conversation'>,
    clock: Pick<Clock, 'monotonic'>,
  ) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The newest messages of the turn's branch, its own last. */
  async read(turn: Turn): Promise<readonly Message[]> {
    const { conversationId, user } = turn;
    return (
      (await this.#unchanged(turn)) ??
      (await readWindow(this.#store, { conversationId, replyTo: user.messageId }))
    );
  }

  /** @param read what the reply was made of; @param ended the reply, as it was stored at its end. */
  keep(turn: Turn, read: readonly Message[], ended: Message): void {
    this.#drop(turn.conversationId);
    // Since the turn was stored, its reply has begun and ended, and nothing else has happened.
    if (ended.rev !== turn.companion.rev + 2) return;
    const messages = [...read, ended].slice(-promptMessagesMax);
    const characters = messages.reduce((sum, { text }) => sum + text.length, 0);
    const keptAt = this.#clock.monotonic();
    this.#held.set(turn.conversationId, { messages, characters, keptAt });
    this.#characters += characters;
    for (const [conversationId, oldest] of this.#held) {
      if (keptAt - oldest.keptAt <= heldMs && this.#characters <= charactersMax) break;
      this.#drop(conversationId);
    }
  }

  /** The held window and the turn's own message, when the turn hangs on its end and is all that has happened since. */
  async #unchanged(turn: Turn): Promise<readonly Message[] | null> {
    const { conversationId, userId, user, companion } = turn;
    const last = this.#held.get(conversationId)?.messages.at(-1);
    if (last === undefined || user.parentId !== last.messageId || user.rev !== last.rev + 1) return null;
    const now = await this.#store.conversation(userId, conversationId);
    const held = this.#held.get(conversationId);
    if (now?.rev !== companion.rev || held?.messages.at(-1) !== last) return null;
    return [...held.messages, user].slice(-promptMessagesMax);
  }

  #drop(conversationId: string): void {
    this.#characters -= this.#held.get(conversationId)?.characters ?? 0;
    this.#held.delete(conversationId);
  }
}

/** The newest messages up to the one that is answered. */
export async function readWindow(
  store: Pick<ConversationStore, 'branchPage'>,
  { conversationId, replyTo }: { readonly conversationId: string; readonly replyTo: string },
): Promise<readonly Message[]> {
  const page = { conversationId, leafId: replyTo, limit: promptMessagesMax };
  return (await store.branchPage(page)).messages;
}
