import type { ConversationListStore, SearchHit } from '../../conversation/stores.ts';
import type { Context } from './context.ts';
import type { MessageDocument } from './documents.ts';
import { excerptOf, wantedTerms } from './search-terms.ts';
import { toOneMessage } from './to-messages.ts';

/** Past any character of a word. */
const lastLetter = '\uffff';

export function searchMethods({ models }: Context): Pick<ConversationListStore, 'searchMessages'> {
  return {
    async searchMessages({ userId, conversationId, words, after, limit }) {
      const wanted = wantedTerms(words);
      if (wanted === null) return { hits: [], hasMore: false };
      const { all, begun } = wanted;
      const terms = {
        $all: all,
        ...(begun !== null && { $elemMatch: { $gte: begun, $lt: `${begun}${lastLetter}` } }),
      };
      const found = await models.messages
        .find({
          ...{ userId, terms },
          ...(after !== null && { place: { $lt: after } }),
          ...(conversationId !== null && { conversationId }),
        })
        .sort({ place: -1 })
        .limit(limit + 1)
        .lean<(MessageDocument & { readonly place: number })[]>();
      const hits = found.slice(0, limit).map(
        async (document): Promise<SearchHit> => ({
          message: await toOneMessage(models, document),
          excerpt: excerptOf(document.text, words),
          place: document.place,
        }),
      );
      return { hits: await Promise.all(hits), hasMore: found.length > limit };
    },
  };
}
