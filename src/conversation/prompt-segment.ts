/**
 * A piece of a prompt. Only `template` pieces may become special tokens; `text` is whatever a person or
 * the model wrote and is always encoded as plain text, so that typing "<|im_start|>" steers nothing.
 */
export interface PromptSegment {
  readonly kind: 'template' | 'text';
  readonly text: string;
}
