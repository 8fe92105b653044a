/** How long a text is, and how high the field that it is written in. */
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

const encoder = new TextEncoder();

/** Bytes as the server counts them: it stores NFC. */
export function byteLength(text: string): number {
  return encoder.encode(text.normalize('NFC')).length;
}

export type Field = RefObject<HTMLTextAreaElement | null>;

/** As high as its text, up to the limit that the style sets. */
export function useFieldSize(field: Field, text: string): void {
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [field, text]);
}
