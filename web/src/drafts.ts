/** What is being written outlives a reload of the page, in this tab. */

const key = 'amity.draft';

export function readDraft(): string {
  try {
    return window.sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(text: string): void {
  try {
    if (text === '') window.sessionStorage.removeItem(key);
    else window.sessionStorage.setItem(key, text);
  } catch {
    // Storage is full or forbidden: the draft lives as long as the page.
  }
}
