/**
 * The view is the selected branch, whatever happens on the others, in whatever order devices change it, and whether or
 * not this one was connected. A plain model of the server says what is right.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Action } from '../../../src/client/actions.ts';
import { reduce } from '../../../src/client/reduce.ts';
import { isAstray } from '../../../src/client/selection.ts';
import { type ConversationState, initialState } from '../../../src/client/state.ts';
import { TreeServer } from './tree-server.ts';

/** What one step does; numbers choose among what there is at that moment. */
interface Wish {
  readonly kind: 'send' | 'edit' | 'regenerate' | 'select';
  readonly isOwn: boolean;
  readonly pick: number;
}

interface Happening {
  readonly kind: 'start' | 'end' | 'react';
  readonly pick: number;
}

type Step = Wish | Happening | { readonly kind: 'cut' | 'connect' | 'older' };

const pick = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('send', 'edit', 'regenerate', 'select'), isOwn: fc.boolean(), pick }),
  fc.record({ kind: fc.constantFrom('start', 'end', 'start', 'end', 'react'), pick }),
  fc.record({ kind: fc.constantFrom('cut', 'connect', 'connect', 'older') }),
);

/** A client and the server it talks to; each answer comes before the events that it causes. */
class Talk {
  readonly server: TreeServer;
  state: ConversationState = initialState;
  isConnected = false;
  #count = 0;

  constructor(server: TreeServer) {
    this.server = server;
    this.connect();
  }

  connect(): void {
    if (this.isConnected) return;
    this.isConnected = true;
    const { conversation, messages } = this.server;
    this.#take({
      type: 'session:ready',
      payload: {
        ...{ protocolVersion: 1, userId: 'u1', conversationId: 'c1', serverTime: '', limits: {} },
        ...{ lastSeq: messages.length, rev: conversation.rev },
      },
    });
    const { loaded, rev } = this.state;
    this.#take({ type: 'opened', value: this.server.open(loaded ? rev : null), reset: !loaded });
    this.#follow();
  }

  cut(): void {
    this.isConnected = false;
    this.#take({ type: 'connection', connection: { state: 'offline' } });
  }

  run(step: Step): void {
    if (step.kind === 'cut') this.cut();
    else if (step.kind === 'connect') this.connect();
    else if (step.kind === 'older') this.#older();
    else if ('isOwn' in step) this.#request(step as Wish);
    else this.#happen(step as Happening);
  }

  /** Every reply that waits comes to its end. */
  finish(): void {
    this.connect();
    for (const { messageId, status } of [...this.server.messages])
      if (status === 'queued' || status === 'running') this.#hear(this.server.end(messageId));
  }

  #request(step: Wish): void {
    const target = this.#choose(step);
    if (step.kind !== 'send' && target === undefined) return;
    if (!step.isOwn || !this.isConnected) this.#hear(this.#others(step.kind, target ?? ''));
    else if (step.kind === 'select') this.#select(target ?? '');
    else this.#ask(step.kind, target ?? '');
  }

  #choose({ kind, pick }: Wish): string | undefined {
    const { messages, selected } = this.server;
    const among =
      kind === 'edit'
        ? selected.filter(({ role }) => role === 'user')
        : kind === 'regenerate'
          ? selected.filter(({ role }) => role === 'companion')
          : messages;
    return among[pick % Math.max(among.length, 1)]?.messageId;
  }

  #others(kind: Wish['kind'], target: string): readonly Action[] {
    if (kind === 'send') return this.server.send('theirs').events;
    if (kind === 'edit') return this.server.edit(target, 'their edit').events;
    return kind === 'regenerate' ? this.server.regenerate(target).events : this.server.select(target);
  }

  #select(target: string): void {
    const events = this.server.select(target);
    const { conversation, messages } = this.server.open(null);
    this.#take({ type: 'branch:selected', value: { conversation, messages } });
    this.#hear(events);
  }

  /** From this device: what is shown first, the answer, then the events. */
  #ask(kind: 'send' | 'edit' | 'regenerate', target: string): void {
    this.#count += 1;
    const clientId = `own${this.#count}`;
    const targetId = kind === 'send' ? null : target;
    this.#take({ type: 'outgoing:queued', asked: { kind, clientId, targetId, text: clientId }, at: '' });
    if (kind === 'regenerate') {
      const { reply, events } = this.server.regenerate(target);
      const value = { generationId: reply.generationId!, duplicate: false };
      this.#take({ type: 'regenerate:acked', clientId, value });
      this.#hear(events);
      return;
    }
    const { user, reply, events } =
      kind === 'send'
        ? this.server.send(clientId, undefined, clientId)
        : this.server.edit(target, clientId, clientId);
    const { messageId, conversationId, seq } = user;
    const value = { messageId, conversationId, seq, generationId: reply.generationId!, duplicate: false };
    this.#take({ type: 'turn:acked', clientId, value });
    this.#hear(events);
  }

  #happen({ kind, pick }: Happening): void {
    const { messages } = this.server;
    const wanted = kind === 'start' ? ['queued'] : kind === 'end' ? ['running', 'queued'] : ['done'];
    const among = messages.filter(({ status, role }) => role === 'companion' && wanted.includes(status));
    const messageId = among[pick % Math.max(among.length, 1)]?.messageId;
    if (messageId === undefined) return;
    if (kind === 'start') this.#hear(this.server.start(messageId));
    else this.#hear(kind === 'end' ? this.server.end(messageId) : this.server.react(messageId));
  }

  #older(): void {
    const { hasOlder, branch } = this.state;
    if (!this.isConnected || !hasOlder || branch[0] === undefined) return;
    const before = this.server.selected.filter(({ seq }) => seq < (branch[0]?.seq ?? 0));
    this.#take({
      type: 'older:loaded',
      value: { messages: before.slice(-3), hasMore: before.length > 3 },
    });
  }

  #hear(events: readonly Action[]): void {
    if (!this.isConnected) return;
    for (const event of events) this.#take(event);
    this.#follow();
  }

  #follow(): void {
    if (isAstray(this.state)) this.#take({ type: 'opened', value: this.server.open(null), reset: true });
    expect(isAstray(this.state)).toBe(false);
  }

  #take(action: Action): void {
    this.state = reduce(this.state, action);
  }

  /** Replies that wait may be known or not. */
  compare(): void {
    const { selected } = this.server;
    const waits = new Set(
      this.server.messages.filter((one) => one.status === 'queued').map((one) => one.messageId),
    );
    const ids = (messages: readonly { messageId: string | null; status: string }[]) =>
      messages.map(({ messageId }) => messageId).filter((messageId) => !waits.has(messageId ?? ''));
    const { messages, hasOlder } = this.state;
    const shown = ids(messages);
    const right = ids(selected);
    expect(shown).toEqual(hasOlder ? right.slice(-shown.length || right.length) : right);
    for (const message of messages) {
      const { text, siblings, reaction } = this.server.find(message.messageId)!;
      const { previousId = null, nextId = null } = siblings;
      expect(message).toMatchObject({ text, reaction });
      // Known by `reply:start` only until it ends.
      if (message.rev > 0) expect(message.siblings).toEqual({ ...siblings, previousId, nextId });
    }
  }
}

test('the view is the selected branch after any steps of any devices, with cuts in between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, namesAlways) => {
      const talk = new Talk(new TreeServer(namesAlways));
      for (const one of steps) {
        talk.run(one);
        // While a reply to this device's own request waits, nobody can tell whose branch was named.
        if (talk.isConnected && talk.state.leafGenerationId === null) talk.compare();
      }
      talk.finish();
      talk.compare();
    }),
    { seed: 4, numRuns: 3000 },
  );
});
