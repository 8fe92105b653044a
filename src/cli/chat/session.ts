/** A conversation at a terminal: what is typed goes to the client, and its snapshots are printed as they come. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AmityClient } from '../../client/amity-client.ts';
import type { Fault } from '../../client/fault.ts';
import { isUnfinished } from '../../client/messages.ts';
import { isCompanionWriting, shownReplies } from '../../client/shown.ts';
import type { Alternative, ChatMessage, ConversationState } from '../../client/state.ts';
import { type ChatCommand, help, parseLine } from './commands.ts';
import type { Terminal } from './terminal.ts';
import { type Piece, Transcript } from './transcript.ts';
import { faultText, printable } from './words.ts';

/** Messages of an earlier talk that are printed at the beginning. */
const messagesAtStart = 10;
/** Times that a program's message is sent when the server is busy. */
const sendsMax = 5;
/** How long a program waits for a connection that was lost. */
const offlineMsMax = 60_000;

export class ChatSession {
  readonly #client: AmityClient;
  readonly #terminal: Terminal;
  readonly #transcript = new Transcript();
  /** Requests whose failure was told. */
  readonly #told = new Set<string>();
  #connection = 'online';
  #choices: readonly string[] = [];
  #failures = 0;
  #wake = () => {};

  constructor(client: AmityClient, terminal: Terminal) {
    this.#client = client;
    this.#terminal = terminal;
  }

  /** Talks until the person leaves. @returns whether all went well; of a program's messages each has to be answered */
  async run(): Promise<boolean> {
    const { isInteractive } = this.#terminal;
    if (isInteractive) await this.#printHistory(messagesAtStart);
    this.#transcript.skip(this.#client.getSnapshot());
    const unsubscribe = this.#client.subscribe(() => this.#show());
    this.#show();
    for await (const line of this.#terminal.lines()) {
      const command = parseLine(line);
      if (command.kind === 'quit') break;
      await this.#do(command);
      if (!isInteractive) await this.#settled();
      if (this.#connection === 'refused') break;
    }
    unsubscribe();
    return this.#connection !== 'refused' && (isInteractive || this.#failures === 0);
  }

  /** Ctrl-C: stops a reply, or else leaves. */
  interrupt(): void {
    const [reply] = shownReplies(this.#client.getSnapshot());
    if (reply === undefined) this.#terminal.close();
    else void this.#client.stop(reply.generationId);
  }

  async #do(command: ChatCommand): Promise<void> {
    const client = this.#client;
    const state = client.getSnapshot();
    const reply = state.messages.findLast(
      (message) => message.role === 'companion' && message.messageId !== null,
    );
    switch (command.kind) {
      case 'nothing':
      case 'quit':
        return;
      case 'help':
        return this.#terminal.note(help);
      case 'mistake':
        return this.#refuse(command.problem);
      case 'say':
        return this.#transcript.typed(client.send(command.text));
      case 'edit':
        return this.#edit(command.text);
      case 'stop': {
        const [running] = shownReplies(state);
        if (running === undefined) return this.#terminal.note('Nothing is being written.');
        return client.stop(running.generationId);
      }
      case 'history':
        return this.#printHistory(command.count);
      case 'retry': {
        const failed = state.outgoing.find(({ delivery }) => delivery === 'failed');
        if (failed === undefined) return this.#terminal.note('Nothing has failed.');
        this.#told.delete(failed.clientId);
        return client.retry(failed.clientId);
      }
    }
    if (reply === undefined || isUnfinished(reply)) {
      return this.#refuse(
        reply === undefined ? 'There is no reply yet.' : 'The reply is still being written.',
      );
    }
    await this.#doWithReply(command, reply);
  }

  async #doWithReply(command: ChatCommand, { messageId, reaction }: ChatMessage): Promise<void> {
    if (messageId === null) return;
    if (command.kind === 'regenerate') this.#client.regenerate(messageId);
    else if (command.kind === 'alternatives') await this.#listAlternatives(messageId);
    else if (command.kind === 'choose') await this.#choose(messageId, command.place);
    else if (command.kind === 'react') {
      const wanted = command.reaction;
      const isTaken =
        wanted === null
          ? reaction === null || (await this.#client.clearReaction(messageId))
          : await this.#client.react(messageId, wanted);
      if (isTaken) this.#terminal.note(wanted === null ? 'No reaction.' : `Noted: ${wanted}.`);
    }
  }

  #edit(text: string): void {
    const { messages } = this.#client.getSnapshot();
    const own = messages.findLast((message) => message.role === 'user' && message.messageId !== null);
    if (own === undefined || own.messageId === null) this.#refuse('There is no message of yours yet.');
    else this.#transcript.typed(this.#client.edit(own.messageId, text));
  }

  async #listAlternatives(messageId: string): Promise<void> {
    const all = await this.#loadAlternatives(messageId);
    this.#choices = all.map(({ candidateId }) => candidateId);
    if (all.length === 1) this.#terminal.note('There are no other replies. /regenerate has one written.');
    all.forEach(({ text, shown }, place) => {
      this.#terminal.note(`${shown ? '*' : ' '} ${place + 1}. ${printable(text)}`);
    });
  }

  async #choose(messageId: string, place: number): Promise<void> {
    const { alternatives } = this.#client.getSnapshot();
    const known = alternatives[messageId] ?? (await this.#loadAlternatives(messageId));
    if (known.length === 0) return;
    const ids = known.map(({ candidateId }) => candidateId);
    // As they were listed last, also where a choice has moved them since.
    const order = this.#choices.some((id) => ids.includes(id)) ? this.#choices : ids;
    const candidateId = order[place - 1];
    if (candidateId === undefined) {
      this.#refuse(`There is no reply ${place}: /alternatives lists them.`);
    } else if (known.some((one) => one.candidateId === candidateId && one.shown)) {
      this.#terminal.note('That is the one you see.');
    } else await this.#client.choose(messageId, candidateId);
  }

  /** Empty, and the reason told, where they cannot be had. */
  async #loadAlternatives(messageId: string): Promise<readonly Alternative[]> {
    const outcome = await this.#client.alternatives(messageId);
    if (outcome.ok) return outcome.value;
    this.#fail(outcome.error);
    return [];
  }

  async #printHistory(count: number): Promise<void> {
    for (let state = this.#client.getSnapshot(); state.hasOlder && state.messages.length < count; ) {
      await this.#client.loadOlder();
      const next = this.#client.getSnapshot();
      if (next.messages.length === state.messages.length) break;
      state = next;
    }
    const { messages } = this.#client.getSnapshot();
    const told = messages.filter((message) => !isUnfinished(message) && message.text !== '').slice(-count);
    for (const { role, text } of told) {
      this.#terminal.note(`${role === 'user' ? 'You' : 'Amity'}: ${printable(text)}`);
    }
  }

  /** Prints what is new in the snapshot. */
  #show(): void {
    const state = this.#client.getSnapshot();
    const isOnline = state.connection.state === 'online';
    this.#showConnection(state);
    const isBusy = isOnline && (shownReplies(state).length > 0 || isCompanionWriting(state));
    const pieces = this.#transcript.next(state);
    if (isBusy || pieces.some(({ kind }) => kind !== 'unsent')) {
      this.#terminal.setBusy(true, isBusy && isCompanionWriting(state) && pieces.length === 0);
    }
    for (const piece of pieces) this.#print(piece);
    if (!isBusy) this.#terminal.setBusy(false, false);
    for (const message of state.messages) this.#tellRefusal(message);
    if (state.fault !== null) {
      this.#fail(state.fault.error);
      this.#client.clearFault();
    }
    this.#wake();
  }

  #print(piece: Piece): void {
    const { isInteractive } = this.#terminal;
    if ('isFailed' in piece && piece.isFailed) this.#failures++;
    if (piece.kind === 'text') this.#terminal.write(piece.text);
    else if (piece.kind === 'begin') {
      if (isInteractive) this.#terminal.write(piece.mark === 'new' ? 'Amity: ' : 'Amity, instead: ');
    } else if (piece.kind === 'end') {
      this.#terminal.write('\n');
      if (piece.note !== '') this.#terminal.note(piece.note);
    } else if (piece.kind === 'silence') this.#terminal.note(piece.note);
    else if (piece.kind === 'elsewhere') this.#terminal.note(`You, on another device: ${piece.text}`);
    else {
      const { error } = piece.message;
      if (!isInteractive) return;
      this.#terminal.note(
        `[not sent: ${error === null ? 'no answer' : faultText(error)} /retry sends it again]`,
      );
    }
  }

  #tellRefusal({ refused }: ChatMessage): void {
    if (refused === null || this.#told.has(refused.clientId)) return;
    this.#told.add(refused.clientId);
    this.#failures++;
    const what = refused.kind === 'edit' ? 'not changed' : 'no other reply';
    this.#terminal.note(`[${what}: ${faultText(refused.error)} /retry asks again]`);
  }

  #showConnection({ connection }: ConversationState): void {
    const { state } = connection;
    if (state === this.#connection || state === 'connecting' || state === 'closed') return;
    if (state === 'offline') this.#terminal.note('[connection lost, trying again ...]');
    else if (state === 'online') this.#terminal.note('[connected again]');
    this.#connection = state;
    if (connection.state !== 'refused') return;
    this.#terminal.note(`[${faultText(connection.error)}]`);
    this.#terminal.close();
  }

  #fail(fault: Fault): void {
    this.#refuse(`[${faultText(fault)}]`);
  }

  /** Says why something was not done. */
  #refuse(problem: string): void {
    this.#failures++;
    this.#terminal.note(problem);
  }

  /** Resolves when all that was asked for is answered and written to its end; what is refused for the load is asked again. */
  async #settled(): Promise<void> {
    let onlineAt = performance.now();
    for (let sends = 1; ; ) {
      const { outgoing, connection } = this.#client.getSnapshot();
      if (connection.state === 'refused') return;
      if (connection.state === 'online') onlineAt = performance.now();
      if (performance.now() - onlineAt >= offlineMsMax) {
        this.#refuse('[the connection did not come back]');
        return this.#terminal.close();
      }
      const failed = outgoing.find(({ delivery }) => delivery === 'failed');
      if (failed !== undefined) {
        if (failed.error?.retryable !== true || sends === sendsMax) {
          this.#refuse(`[not sent: ${failed.error === null ? 'no answer' : faultText(failed.error)}]`);
          this.#client.discard(failed.clientId);
          return;
        }
        sends++;
        await pause(failed.error.retryAfterMs ?? 1000);
        this.#client.retry(failed.clientId);
      } else if (isSettled(this.#client.getSnapshot())) return;
      else await this.#change(connection.state === 'online' ? null : offlineMsMax);
    }
  }

  /** Resolves at the next snapshot, at the latest after so many milliseconds. */
  async #change(msMax: number | null): Promise<void> {
    const stop = new AbortController();
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const late = msMax === null ? [] : [pause(msMax, undefined, { signal: stop.signal }).catch(() => {})];
    await Promise.race([changed, ...late]);
    stop.abort();
  }
}

function isSettled(state: ConversationState): boolean {
  if (state.outgoing.length > 0 || !state.synced || state.connection.state !== 'online') return false;
  return shownReplies(state).length === 0 && !state.messages.some(isUnfinished);
}
