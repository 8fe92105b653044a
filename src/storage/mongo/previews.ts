import type { Conversation } from '../../conversation/message.ts';
import { toPreview } from '../preview.ts';
import type { MessageDocument } from './documents.ts';
import type { Models } from './models.ts';

type Preview = NonNullable<Conversation['preview']>;
type Read = Pick<MessageDocument, '_id' | 'role' | 'text' | 'parentId'>;

/** For each leaf the newest message with text on its branch, cut short; nothing for one without. */
export async function previewsOf(
  { messages }: Models,
  leafIds: readonly string[],
): Promise<ReadonlyMap<string, Preview>> {
  const previews = new Map<string, Preview>();
  // From each leaf up, past those without text: mostly there is none, or the one that is being written.
  let places = new Map(leafIds.map((leafId) => [leafId, leafId]));
  while (places.size > 0) {
    const found = await messages
      .find({ _id: { $in: [...places.keys()] } }, { role: 1, text: 1, parentId: 1 })
      .lean<Read[]>();
    const above = new Map<string, string>();
    for (const { _id, role, text, parentId } of found) {
      const leafId = places.get(_id);
      if (leafId === undefined) continue;
      if (text !== '') previews.set(leafId, toPreview(role, text));
      else if (parentId !== null) above.set(parentId, leafId);
    }
    places = above;
  }
  return previews;
}
