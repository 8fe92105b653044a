import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Chat } from './chat.ts';
import { keepDraft, readDraft } from './drafts.ts';
import { SendIcon, StopIcon } from './icons.tsx';
import { byteLength, type Field, useFieldSize } from './text-size.ts';
import { companionName } from './words.ts';

/** From this share of the limit on the counter shows. */
const counterFrom = 0.8;

function placeholder(isRefused: boolean): string {
  return isRefused ? 'Not connected' : `Message ${companionName}`;
}

/** Not on a phone: its keyboard would cover the talk before anything was read. */
function useFirstFocus(field: Field): void {
  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [field]);
}

function Hint({ bytes, bytesMax }: { readonly bytes: number; readonly bytesMax: number }) {
  const isTooLong = bytes > bytesMax;
  return (
    <p class="hint" id="composer-hint">
      {bytes < bytesMax * counterFrom ? (
        <span>{companionName} is an AI, not a person. It can be wrong.</span>
      ) : (
        <span class={isTooLong ? 'counter is-over' : 'counter'}>
          {isTooLong ? 'Too long: ' : ''}
          {bytes.toLocaleString()} of {bytesMax.toLocaleString()} bytes
        </span>
      )}
    </p>
  );
}

function StopButton({ onStop }: { readonly onStop: () => void }) {
  return (
    <button
      type="button"
      class="round is-stop"
      aria-label="Stop the reply"
      title="Stop (Esc)"
      onClick={onStop}
    >
      <StopIcon />
    </button>
  );
}

export function Composer({ chat }: { readonly chat: Chat }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const draft = useSignal(readDraft());
  const { connection, textBytesMax } = chat.state.value;
  const running = chat.running.value;
  const isRefused = connection.state === 'refused' || connection.state === 'closed';
  const bytes = byteLength(draft.value);
  const isTooLong = bytes > textBytesMax;
  const canSend = draft.value.trim() !== '' && !isTooLong && !isRefused;

  useFieldSize(field, draft.value);
  useFirstFocus(field);
  useEffect(() => keepDraft(draft.value), [draft.value]);
  useEffect(() => {
    chat.composer.current = field.current;
  }, [chat]);

  const send = () => {
    if (!canSend) return;
    chat.client.send(draft.value.trim().toWellFormed());
    draft.value = '';
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method is composing, Enter accepts its proposal.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class={isRefused ? 'composer is-disabled' : 'composer'}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="field">
        <textarea
          ref={field}
          rows={1}
          aria-label={`Message to ${companionName}`}
          aria-describedby="composer-hint"
          aria-invalid={isTooLong}
          placeholder={placeholder(isRefused)}
          value={draft.value}
          disabled={isRefused}
          enterkeyhint="send"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
        {running !== null && <StopButton onStop={() => void chat.client.stop(running.generationId)} />}
        <button
          type="submit"
          class="round is-send"
          aria-label="Send"
          title="Send (Enter)"
          disabled={!canSend}
        >
          <SendIcon />
        </button>
      </div>
      <Hint bytes={bytes} bytesMax={textBytesMax} />
    </form>
  );
}
