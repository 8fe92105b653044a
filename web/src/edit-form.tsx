import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ChatMessage } from '../../src/client/state.ts';
import type { Chat } from './chat.ts';
import { byteLength, useFieldSize } from './text-size.ts';

interface EditFormProps {
  readonly message: ChatMessage;
  readonly chat: Chat;
  /** Leaves the form; the focus goes back to where it was opened. */
  readonly onClose: () => void;
}

/** In the place of a message: Enter saves, Shift+Enter makes a new line, Escape cancels. */
export function EditForm({ message, chat, onClose }: EditFormProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { messageId } = message;
  const id = messageId ?? '';
  const text = useSignal(chat.edits.get(id) ?? message.refused?.text ?? message.text);
  const bytesMax = chat.state.value.textBytesMax;
  const isTooLong = byteLength(text.value) > bytesMax;
  const canSave = text.value.trim() !== '' && !isTooLong;

  useFieldSize(field, text.value);
  useLayoutEffect(() => {
    const area = field.current;
    area?.focus({ preventScroll: true });
    area?.setSelectionRange(area.value.length, area.value.length);
    area?.scrollIntoView({ block: 'nearest' });
  }, []);

  const close = () => {
    chat.edits.delete(id);
    onClose();
  };
  const save = () => {
    if (!canSave) return;
    const edited = text.value.trim().toWellFormed();
    close();
    if (edited === message.text) return;
    chat.client.edit(id, edited);
    chat.composer.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method is composing, Enter accepts its proposal and Escape refuses it.
    if (event.isComposing) return;
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && !event.shiftKey) save();
    else return;
    event.preventDefault();
  };

  return (
    <form
      class="edit-form"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        aria-label="Edit your message"
        aria-describedby="edit-hint"
        aria-invalid={isTooLong}
        value={text.value}
        enterkeyhint="send"
        onInput={(event) => {
          text.value = event.currentTarget.value;
          chat.edits.set(id, text.value);
        }}
        onKeyDown={onKeyDown}
      />
      <EditRow size={byteLength(text.value)} bytesMax={bytesMax} canSave={canSave} onCancel={close} />
    </form>
  );
}

interface EditRowProps {
  /** Bytes of the text, and the most that are taken. */
  readonly size: number;
  readonly bytesMax: number;
  readonly canSave: boolean;
  readonly onCancel: () => void;
}

/** Under the field: what saving means, or what is wrong, and the two ways out. */
function EditRow({ size, bytesMax, canSave, onCancel }: EditRowProps) {
  const isTooLong = size > bytesMax;
  return (
    <div class="edit-row">
      <p class={isTooLong ? 'note counter is-over' : 'note'} id="edit-hint">
        {isTooLong
          ? `Too long: ${size.toLocaleString()} of ${bytesMax.toLocaleString()} bytes`
          : 'The talk goes on from here; what followed stays as another version.'}
      </p>
      <button type="button" class="text-button" title="Cancel (Esc)" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" class="text-button is-main" title="Save (Enter)" disabled={!canSave}>
        Save
      </button>
    </div>
  );
}
