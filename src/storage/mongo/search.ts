import type { Message } from '../../conversation/message.ts';
import type { ConversationListStore, SearchHit } from '../../conversation/stores.ts';
import type { Context } from './context.ts';
import type { MessageDocument } from './documents.ts';
import { shown } from './filters.ts';
import type { Models } from './models.ts';
import { excerptOf, wantedTerms } from './search-terms.ts';
import { toMessages } from './to-messages.ts';

/** By id; those of a conversation are looked up together. */
async function messagesOf(
  models: Models,
  documents: readonly MessageDocument[],
): Promise<ReadonlyMap<string, Message>> {
  const conversations = new Set(documents.map(({ conversationId }) => conversationId));
  const messages = await Promise.all(
    [...conversations].map((id) =>
      toMessages(
        models,
        documents.filter((one) => one.conversationId === id),
      ),
    ),
  );
  return new Map(messages.flat().map((message) => [message.messageId, message]));
}

/** Past any character of a word. */
const lastLetter = '\uffff';

export function searchMethods({ models }: Context): Pick<ConversationListStore, 'searchMessages'> {
  return {
    async searchMessages({ userId, conversationId, words, after, limit }) {
      const wanted = wantedTerms(words);
      if (wanted === null) return { hits: [], hasMore: false };
      const { all, begun } = wanted;
      const [first, ...others] = all;
      // Apart, since a server may go by an index only for fields and values that it has, one of each; MongoDB takes both as one.
      const byIndex = { userId, terms: first, ...(after !== null && { place: { $lt: after } }) };
      const more = { $elemMatch: { $gte: begun, $lt: `${begun}${lastLetter}` } };
      const terms = { ...(others.length > 0 && { $all: others }), ...(begun !== null && more) };
      const byLooking = {
        ...(Object.keys(terms).length > 0 && { terms }),
        ...(conversationId !== null && { conversationId }),
      };
      const found = await models.messages.aggregate<MessageDocument & { readonly place: number }>([
        { $match: byIndex },
        { $match: byLooking },
        { $sort: { place: -1 } },
        { $limit: limit + 1 },
        { $project: shown },
      ]);
      const page = found.slice(0, limit);
      const messages = await messagesOf(models, page);
      const hits = page.flatMap(({ _id, text, place }): SearchHit[] => {
        const message = messages.get(_id);
        return message === undefined ? [] : [{ message, excerpt: excerptOf(text, words), place }];
      });
      return { hits, hasMore: found.length > limit };
    },
  };
}
