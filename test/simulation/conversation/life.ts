import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import { type AnswerDeps, answerTurn } from '../../../src/conversation/answer.ts';
import { recoverReplies } from '../../../src/conversation/recovery.ts';
import { Replies } from '../../../src/conversation/replies.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import { sendMessage } from '../../../src/conversation/send-message.ts';
import type { TurnDeps } from '../../../src/conversation/take-turn.ts';
import { transcriptTemplate } from '../../../src/conversation/transcript-template.ts';
import { Windows } from '../../../src/conversation/windows.ts';
import { CodedError } from '../../../src/std/coded-error.ts';
import type { Store } from '../../../src/storage/store.ts';
import { countTokens, SimulatedGenerator } from './simulated-generator.ts';
import { SimulatedReader } from './simulated-reader.ts';

type Pick = (below: number) => number;

export interface LifeOptions {
  readonly pick: Pick;
  /** Begins every id, so that lives can share a store. */
  readonly name: string;
  readonly store: Store;
}

const ticks = 80;
const ticksMax = 5_000;
const tickMs = 100;

/** One life of the server, from the first message to the last end. */
export function openLife(options: LifeOptions): { run(): Promise<readonly string[]> } {
  return new Life(options);
}

class Life {
  readonly #pick: Pick;
  readonly #name: string;
  readonly #store: Store;
  readonly #outcomes: string[] = [];
  readonly #readers: SimulatedReader[] = [];
  readonly #sent: { readonly userId: string; readonly messageId: string; readonly generationId: string }[] =
    [];
  readonly #users: number;
  readonly #isRush: boolean;
  #now = 1_000_000;
  #ids = 0;
  #process!: ReturnType<Life['startProcess']>;

  constructor({ pick, name, store }: LifeOptions) {
    this.#pick = pick;
    this.#name = name;
    this.#store = store;
    // Some lives are rush hours: more people than the engine has rows.
    this.#isRush = pick(6) === 0;
    this.#users = this.#isRush ? 40 : 1 + pick(6);
  }

  async run(): Promise<readonly string[]> {
    this.#process = this.startProcess();
    const diesAt = this.#pick(3) === 0 ? 10 + this.#pick(ticks) : null;
    const losesOneIn = this.#pick(3) === 0 ? 25 : Number.POSITIVE_INFINITY;
    for (let tick = 0; tick < ticksMax; tick++) {
      if (tick === diesAt) await this.#restart();
      if (tick < ticks) await this.#act(losesOneIn);
      expect(await this.#process.generator.step()).toEqual([]);
      this.#now += tickMs;
      await nextTurn();
      this.#read(tick >= ticks);
      if (tick >= ticks && this.#process.replies.count === 0 && this.#process.generator.isIdle) break;
    }
    await nextTurn();
    this.#read(true);
    await this.#check();
    return this.#outcomes;
  }

  /** What people do, and what happens to them, in one tick. */
  async #act(losesOneIn: number): Promise<void> {
    const sends = this.#isRush ? 2 : this.#pick(3) === 0 ? 1 : 0;
    for (let count = 0; count < sends; count++) await this.#send();
    const active = this.#active();
    const some = active[this.#pick(active.length)];
    if (some !== undefined && this.#pick(12) === 0) this.#process.replies.cancel(some.turn.generationId);
    if (some !== undefined && this.#pick(3) === 0)
      this.#follow(some, this.#pick(some.stream.text.length + 1));
    if (Number.isFinite(losesOneIn) && this.#pick(losesOneIn) === 0) {
      this.#process.generator.lose();
      this.#outcomes.push('lost');
    }
  }

  async #send(): Promise<void> {
    const userId = `u_${this.#name}_${this.#pick(this.#users)}`;
    const request = {
      userId,
      clientMessageId: `${this.#name}-${this.#ids++}`,
      conversationId: undefined,
      text: `${'ab c'.repeat(1 + this.#pick(4))}${this.#ids}`,
      parentId: undefined,
    };
    try {
      const sent = await sendMessage(this.#process.sendDeps, request);
      if (sent.kind !== 'created') throw new Error('a new id is no duplicate');
      const { generationId, user } = sent;
      this.#sent.push({ userId, messageId: user.messageId, generationId });
      this.#follow(sent.reply, 0);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'overloaded') throw error;
      this.#outcomes.push('refused');
    }
  }

  /** A device of one's own pace: some read at once, some hardly ever. */
  #follow(reply: Reply, offset: number): void {
    this.#readers.push(new SimulatedReader(reply, { offset, readsOneIn: [1, 3, 30][this.#pick(3)]! }));
  }

  #read(everything: boolean): void {
    for (const reader of this.#readers) {
      if (everything || this.#pick(reader.readsOneIn) === 0) reader.takeAll();
    }
  }

  #active(): readonly Reply[] {
    return [...new Set(this.#sent.map(({ userId }) => userId))].flatMap((userId) =>
      this.#process.replies.ofUser(userId),
    );
  }

  /** The process dies between two ticks; its readers come back to the next one. */
  async #restart(): Promise<void> {
    this.#process.die();
    this.#process = this.startProcess();
    const { replies } = this.#process;
    const recovered = await recoverReplies({ store: this.#ownStore(), replies }, this.#now);
    for (let count = 0; count < recovered.resumed; count++) this.#outcomes.push('resumed');
    for (const reader of this.#readers) reader.reconnect(replies.find(reader.generationId) ?? null);
  }

  /** Recovery sees all unfinished generations of the store: those of other lives have ended. */
  #ownStore(): Store {
    return this.#process.store;
  }

  startProcess() {
    let isDead = false;
    const store = untilDead(this.#store, () => isDead);
    const clock = { now: () => this.#now, monotonic: () => this.#now };
    const pick = this.#pick;
    const failsOneIn = pick(3) === 0 ? 60 : null;
    const generator = new SimulatedGenerator(
      {
        slots: 4 + pick(12),
        queueMax: 64,
        race: { quality: 'live', candidates: 1 + pick(6), commitTokens: 1 + pick(10), exploration: 0.2 },
        passFails: () => failsOneIn !== null && pick(failsOneIn) === 0,
      },
      clock.monotonic,
    );
    const id = (kind: string) => () => `${kind}_${this.#name}_${this.#ids++}`;
    const ids = {
      conversationId: id('c'),
      messageId: id('m'),
      generationId: id('g'),
      candidateId: id('k'),
      seed: () => pick(2 ** 32),
    };
    const answerDeps: AnswerDeps = {
      store,
      windows: new Windows(store, clock),
      generator,
      prompt: {
        persona: { personaId: 'p', name: 'Amity', instructions: 'be kind' },
        template: transcriptTemplate,
        counter: {
          countTokens: (segments) => segments.reduce((sum, { text }) => sum + countTokens(text), 0),
        },
        model: 'simulated',
        budgetTokens: 1_000,
      },
      clock,
      ids,
      options: {
        replyTokensMax: 40,
        replyTokensSoftMax: 20,
        sampling: { temperature: 1, topK: 12, topP: 0.95, repetitionPenalty: 1.1 },
      },
      observer: {
        started() {},
        firstText() {},
        ended() {},
        failed() {},
        workerLost: () => this.#outcomes.push('continued'),
      },
      pause: () => Promise.resolve(),
    };
    const replies = new Replies((reply) => answerTurn(answerDeps, reply));
    const sendDeps: TurnDeps = {
      store,
      replies,
      generator,
      clock,
      ids,
      digest: (text) => text,
      draining: () => false,
      turnsPerDayMax: null,
    };
    const die = () => {
      isDead = true;
    };
    return { store, generator, replies, sendDeps, die };
  }

  async #check(): Promise<void> {
    for (const { userId, messageId, generationId } of this.#sent) {
      const generation = await this.#store.generation(userId, generationId);
      const companion = await this.#store.message(userId, generation?.messageId ?? '');
      const user = await this.#store.message(userId, messageId);
      expect(user?.status, 'an acknowledged message is there').toBe('done');
      expect(generation?.endedAt, `${generationId} has ended`).not.toBeNull();
      expect(companion).toMatchObject({
        status: generation?.status,
        text: generation?.text,
        parentId: messageId,
      });
      if (generation?.finishReason === 'superseded') expect(generation.text).toBe('');
      this.#outcomes.push(generation?.finishReason ?? 'failed');
      const shown = generation?.candidates.find(
        ({ candidateId }) => candidateId === generation.shownCandidateId,
      );
      if (shown !== undefined && shown.text !== '') expect(generation?.text).toBe(shown.text);
      for (const reader of this.#readers) {
        if (reader.generationId === generationId) reader.check(generation?.text ?? '');
      }
    }
  }
}

/** Calls into it never come back once the process is dead. */
function untilDead(store: Store, isDead: () => boolean): Store {
  const never = new Promise<never>(() => {});
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => (isDead() ? never : Reflect.apply(value, target, args));
    },
  });
}
