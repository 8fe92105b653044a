import type { PromptSegment } from '../conversation/prompt-segment.ts';

export interface TokenCache {
  get(kind: PromptSegment['kind'], text: string): Int32Array | undefined;
  set(kind: PromptSegment['kind'], text: string, ids: Int32Array): void;
}

/** Token ids by text, bounded by the characters kept; what was used longest ago goes first. */
export function createTokenCache(charactersMax: number): TokenCache {
  // A Map iterates in order of insertion, so re-inserting on every hit keeps it ordered by last use.
  const entries = new Map<string, Int32Array>();
  let characters = 0;
  const keyOf = (kind: PromptSegment['kind'], text: string) => `${kind}:${text}`;
  return {
    get: (kind, text) => {
      const key = keyOf(kind, text);
      const ids = entries.get(key);
      if (ids === undefined) return undefined;
      entries.delete(key);
      entries.set(key, ids);
      return ids;
    },
    set: (kind, text, ids) => {
      const key = keyOf(kind, text);
      if (entries.has(key) || key.length > charactersMax) return;
      entries.set(key, ids);
      characters += key.length;
      for (const oldest of entries.keys()) {
        if (characters <= charactersMax) break;
        entries.delete(oldest);
        characters -= oldest.length;
      }
    },
  };
}
