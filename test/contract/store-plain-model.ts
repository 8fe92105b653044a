/** The rules of docs/protocol.md about one conversation, on plain arrays: what a store is compared with. */
import type { Message, ReactionKind } from '../../src/conversation/message.ts';

export interface ModelMessage {
  readonly messageId: string;
  readonly parentId: string | null;
  readonly role: 'user' | 'companion';
  readonly seq: number;
  rev: number;
  text: string;
  status: string;
  finishReason: string | null;
  shownCandidateId: string | null;
  reaction: ReactionKind | null;
}

export interface ModelReply {
  readonly generationId: string;
  readonly message: ModelMessage;
  attempts: number;
  /** What the generation log holds, then what the generation ended with. */
  text: string;
  hasEnded: boolean;
  /** Texts that may be chosen, by candidate. */
  readonly choices: Map<string, string>;
}

/** What a client asked for: a turn or a further reply. */
export interface ModelRequest {
  readonly clientId: string;
  readonly bodyHash: string;
  readonly made: ModelMessage;
  readonly generationId: string;
}

export class PlainModel {
  readonly messages: ModelMessage[] = [];
  readonly replies: ModelReply[] = [];
  readonly requests: ModelRequest[] = [];
  rev = 0;
  leaf: ModelMessage | null = null;

  get selectedBranch(): ModelMessage[] {
    return this.leaf === null ? [] : this.#branchTo(this.leaf);
  }

  siblingsOf({ parentId, role }: ModelMessage): ModelMessage[] {
    return this.messages.filter((message) => message.parentId === parentId && message.role === role);
  }

  /** @returns the user message. */
  addTurn(
    ids: { userMessageId: string; companionMessageId: string; generationId: string },
    text: string,
    parentId: string | null,
  ): ModelMessage {
    const sent = this.#add({ messageId: ids.userMessageId, role: 'user', text, parentId });
    this.#addReply(ids.companionMessageId, ids.generationId, sent.messageId);
    this.#changeOlderSiblings(sent);
    return sent;
  }

  addReply(ids: { companionMessageId: string; generationId: string }, parentId: string | null): ModelMessage {
    const message = this.#addReply(ids.companionMessageId, ids.generationId, parentId);
    this.#changeOlderSiblings(message);
    return message;
  }

  /** @returns whether it starts. */
  start(reply: ModelReply): boolean {
    if (reply.hasEnded) return false;
    reply.attempts += 1;
    reply.message.status = 'running';
    this.#change(reply.message);
    return true;
  }

  end(reply: ModelReply, text: string, choices: ReadonlyMap<string, string>): void {
    if (reply.hasEnded) return;
    const [shown = null] = choices.keys();
    const own = { status: 'done', finishReason: 'stop' };
    const failed = { status: 'failed', finishReason: null };
    Object.assign(reply, { hasEnded: true, text });
    Object.assign(reply.message, { ...(text === '' ? failed : own), text, shownCandidateId: shown });
    for (const [candidateId, other] of choices) reply.choices.set(candidateId, other);
    this.#change(reply.message);
  }

  choose({ message, choices }: ModelReply, candidateId: string): boolean {
    const text = choices.get(candidateId);
    if (text === undefined) return false;
    if (message.shownCandidateId === candidateId) return true;
    const shown = { status: 'done', finishReason: 'stop', shownCandidateId: candidateId };
    Object.assign(message, { ...shown, text, reaction: null });
    this.#change(message);
    return true;
  }

  select(message: ModelMessage): void {
    if (this.selectedBranch.includes(message)) return;
    this.leaf = this.messages.findLast((other) => this.#branchTo(other).includes(message)) ?? null;
    this.rev += 1;
  }

  react(message: ModelMessage, kind: ReactionKind | null): void {
    if (message.reaction === kind) return;
    message.reaction = kind;
    this.#change(message);
  }

  #branchTo(leaf: ModelMessage): ModelMessage[] {
    const parent = this.messages.find(({ messageId }) => messageId === leaf.parentId);
    return parent === undefined ? [leaf] : [...this.#branchTo(parent), leaf];
  }

  #addReply(messageId: string, generationId: string, parentId: string | null): ModelMessage {
    const message = this.#add({ messageId, role: 'companion', text: '', parentId });
    this.leaf = message;
    this.replies.push({
      ...{ generationId, message, attempts: 0, text: '', hasEnded: false, choices: new Map() },
    });
    return message;
  }

  #add(own: Pick<ModelMessage, 'messageId' | 'role' | 'text' | 'parentId'>): ModelMessage {
    this.rev += 1;
    const message: ModelMessage = {
      ...own,
      ...{ seq: this.messages.length + 1, rev: this.rev, status: own.role === 'user' ? 'done' : 'queued' },
      ...{ finishReason: null, shownCandidateId: null, reaction: null },
    };
    this.messages.push(message);
    return message;
  }

  #changeOlderSiblings(newest: ModelMessage): void {
    for (const message of this.siblingsOf(newest)) if (message !== newest) this.#change(message);
  }

  #change(message: ModelMessage): void {
    this.rev += 1;
    message.rev = this.rev;
  }
}

export function toModelMessage(message: Message): ModelMessage {
  const { messageId, parentId, role, seq, rev, text, status, finishReason, shownCandidateId } = message;
  return {
    ...{ messageId, parentId, role, seq, rev, text, status, finishReason, shownCandidateId },
    reaction: message.reaction?.kind ?? null,
  };
}
