import type { Conversation, Role } from '../conversation/message.ts';

/** UTF-16 units of the text in a conversation's preview. */
const unitsMax = 120;

/** What a list of conversations shows of the newest message with text. */
export function toPreview(role: Role, text: string): NonNullable<Conversation['preview']> {
  return { role, text: cutText(text) };
}

/** The first units of a text, one less where that would split a surrogate pair. */
function cutText(text: string): string {
  if (text.length <= unitsMax) return text;
  const last = text.charCodeAt(unitsMax - 1);
  const splits = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splits ? unitsMax - 1 : unitsMax);
}
