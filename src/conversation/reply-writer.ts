/** Shows the text of a reply only after the generation log has it, so that no reader ever knows more than a restart would. */
import type { Reply } from './reply.ts';
import type { GenerationStore } from './stores.ts';

export class ReplyWriter {
  readonly #store: Pick<GenerationStore, 'appendText'>;
  readonly #reply: Reply;
  /** Not shown yet: the log did not take it, or it is to appear together with the end. */
  #held = '';

  constructor(store: Pick<GenerationStore, 'appendText'>, reply: Reply) {
    this.#store = store;
    this.#reply = reply;
  }

  /** All of the reply, shown or not. Nothing of a superseded one counts that was not shown: the next reply answers both messages. */
  get text(): string {
    const { stream, stopReason } = this.#reply;
    return stopReason === 'superseded' ? stream.text : stream.text + this.#held;
  }

  /**
   * Logs further text, then shows it. While the store does not take it, it is held and goes with the next text, at the latest with
   * the end. @returns whether something was shown.
   */
  async write(text: string): Promise<boolean> {
    const { turn, stream } = this.#reply;
    this.#held += text;
    if (this.#held === '' || this.#reply.stopReason === 'superseded') return false;
    const piece = { generationId: turn.generationId, offset: stream.text.length, text: this.#held };
    // Not so when it was deleted in the meantime: then nobody is shown more of it.
    return (await this.#store.appendText(piece)) && this.release();
  }

  /** For text that is to appear together with the stored end of the reply. */
  hold(text: string): void {
    this.#held += text;
  }

  /** Shows what is held; to be called when it is stored. @returns whether something was shown. */
  release(): boolean {
    if (this.#reply.stopReason === 'superseded') this.#held = '';
    const text = this.#held;
    this.#held = '';
    this.#reply.stream.append(text);
    return text !== '';
  }
}
