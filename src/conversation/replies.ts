/**
 * The replies this process works on. Turns of one conversation are answered one after another; conversations do not
 * wait for each other. A reply belongs to no socket: readers come and go, it runs to its end.
 */
import { Reply, type StopReason, type Turn } from './reply.ts';

/**
 * Replies of one user that may be queued or running, in all conversations. Superseding keeps a person who types fast far below
 * it; it bounds what one user can put in line.
 */
const repliesPerUserMax = 32;

/** Works on one reply until its stream has ended. Must not throw. */
export type Answer = (reply: Reply) => Promise<void>;

export class Replies {
  readonly #answer: Answer;
  readonly #repliesMax: number;
  readonly #byGeneration = new Map<string, Reply>();
  /** Per conversation, in order; the first one is worked on. */
  readonly #lines = new Map<string, Reply[]>();
  readonly #runs = new Map<Reply, Promise<void>>();
  /** Ended replies for which something still goes on. */
  readonly #afterlives = new Map<string, Reply>();
  /** Turns per user that are being stored. */
  readonly #arriving = new Map<string, number>();

  /** @param repliesMax replies of all users that may be queued or running, those that wait for their own conversation included. */
  constructor(answer: Answer, repliesMax = Number.POSITIVE_INFINITY) {
    this.#answer = answer;
    this.#repliesMax = repliesMax;
  }

  /** Whether nothing new should be taken, whoever asks. */
  get isFull(): boolean {
    return this.#byGeneration.size >= this.#repliesMax;
  }

  /**
   * Puts a stored turn in line. A reply of the same branch that has shown no text yet is superseded: the new
   * one will answer both messages.
   *
   * @param written text of the reply that was shown before a crash.
   */
  begin(turn: Turn, written = ''): Reply {
    const reply = new Reply(turn, written);
    const line = this.#lines.get(turn.conversationId);
    this.#byGeneration.set(turn.generationId, reply);
    if (line === undefined) {
      const fresh = [reply];
      this.#lines.set(turn.conversationId, fresh);
      void this.#work(turn.conversationId, fresh);
    } else {
      line.push(reply);
      for (const earlier of line) {
        const sameBranch = earlier.turn.companion.messageId === turn.user.parentId;
        if (sameBranch && earlier.stream.text === '') this.#stop(earlier, 'superseded');
      }
    }
    return reply;
  }

  find(generationId: string): Reply | undefined {
    return this.#byGeneration.get(generationId);
  }

  /** Those of a conversation that have not ended, in the order in which they are answered. */
  active(conversationId: string): readonly Reply[] {
    return this.#lines.get(conversationId)?.filter((reply) => reply.stream.end === null) ?? [];
  }

  /** Those of a user that have not ended, in all conversations. */
  ofUser(userId: string): readonly Reply[] {
    return [...this.#byGeneration.values()].filter((reply) => reply.turn.userId === userId);
  }

  /**
   * Runs `work`, which may put a turn of the user in line, unless too many of the user's replies have not ended yet; those whose turns
   * are being stored at this moment count too. Null: refused.
   */
  async withinLimit<T>(userId: string, work: () => Promise<T>): Promise<T | null> {
    const arriving = this.#arriving.get(userId) ?? 0;
    if (arriving + this.ofUser(userId).length >= repliesPerUserMax) return null;
    this.#arriving.set(userId, arriving + 1);
    try {
      return await work();
    } finally {
      const left = (this.#arriving.get(userId) ?? 1) - 1;
      if (left === 0) this.#arriving.delete(userId);
      else this.#arriving.set(userId, left);
    }
  }

  get count(): number {
    return this.#byGeneration.size;
  }

  /** Stops a reply; its stream ends soon after. False when it is not worked on (any more). */
  cancel(generationId: string): boolean {
    const reply = this.#byGeneration.get(generationId);
    if (reply === undefined) return false;
    this.#stop(reply, 'cancelled');
    return true;
  }

  /** Stops these; resolves when they have ended. */
  async stopAll(stopping: readonly Reply[]): Promise<void> {
    for (const { turn } of stopping) this.cancel(turn.generationId);
    await Promise.all(stopping.map((reply) => reply.stream.ended()));
  }

  /** Resolves when nothing is computed for a generation any more, its runner-up included. */
  async settled(generationId: string): Promise<void> {
    await this.#byGeneration.get(generationId)?.stream.ended();
    await (this.#byGeneration.get(generationId) ?? this.#afterlives.get(generationId))?.afterlife;
  }

  /** Waits for all to end; those that still run after `graceMs` (a timer given by the caller) are stopped. */
  async drain(grace: Promise<void>): Promise<void> {
    const all = () => Promise.all([...this.#byGeneration.values()].map((reply) => reply.stream.ended()));
    await Promise.race([all(), grace]);
    for (const reply of this.#byGeneration.values()) this.#stop(reply, 'cancelled');
    await all();
    for (const reply of this.#afterlives.values()) reply.stop('cancelled');
    await Promise.all([...this.#afterlives.values()].map((reply) => reply.afterlife));
  }

  #stop(reply: Reply, reason: StopReason): void {
    reply.stop(reason);
    // One that waits in line need not wait for its place to be ended.
    void this.#run(reply);
  }

  async #work(conversationId: string, line: Reply[]): Promise<void> {
    for (let reply = line[0]; reply !== undefined; reply = line[0]) await this.#run(reply);
    this.#lines.delete(conversationId);
  }

  /** Works on a reply once, however often it is called; resolves when it has ended and left its line. */
  #run(reply: Reply): Promise<void> {
    const running = this.#runs.get(reply);
    if (running !== undefined) return running;
    const run = this.#answer(reply).finally(() => this.#forget(reply));
    this.#runs.set(reply, run);
    return run;
  }

  #forget(reply: Reply): void {
    const line = this.#lines.get(reply.turn.conversationId);
    const place = line?.indexOf(reply) ?? -1;
    if (place >= 0) line?.splice(place, 1);
    const { generationId } = reply.turn;
    this.#byGeneration.delete(generationId);
    this.#runs.delete(reply);
    if (reply.afterlife === null) return;
    this.#afterlives.set(generationId, reply);
    void reply.afterlife.finally(() => this.#afterlives.delete(generationId));
  }
}
