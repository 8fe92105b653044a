/** The part of the browser's `Storage` that is used; React Native and tests bring their own. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}
