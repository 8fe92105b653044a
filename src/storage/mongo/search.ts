import type { Message } from '../../conversation/message.ts';
import type { ConversationListStore, SearchHit } from '../../conversation/stores.ts';
import type { Context } from './context.ts';
import type { MessageDocument } from './documents.ts';
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
      const [first = ''] = all;
      const more = { $elemMatch: { $gte: begun ?? '', $lt: `${begun}${lastLetter}` } };
      // One alone as it is: there are servers that go by no index for a list of one.
      const terms = all.length === 1 && begun === null ? first : { $all: all, ...(begun !== null && more) };
      const found = await models.messages
        .find({
          ...{ userId, terms },
          ...(after !== null && { place: { $lt: after } }),
          ...(conversationId !== null && { conversationId }),
        })
        .sort({ place: -1 })
        .limit(limit + 1)
        .lean<(MessageDocument & { readonly place: number })[]>();
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
