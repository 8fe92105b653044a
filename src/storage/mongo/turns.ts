import type { Message, Role } from '../../conversation/message.ts';
import {
  type AppendedReply,
  type AppendedTurn,
  type ConversationStore,
  type NewReply,
  type NewTurn,
  type NotAppended,
  siblingsMax,
} from '../../conversation/stores.ts';
import { asCreated, newGeneration, newReply } from '../new-turn.ts';
import type { Planned } from './changes.ts';
import type { Context } from './context.ts';
import { refuseOverQuota, withOneMore } from './daily-turns.ts';
import type { ConversationDocument, MessageDocument, MessageUpdate } from './documents.ts';
import { type Fork, type LinePlace, rootFork } from './lines.ts';
import type { Models } from './models.ts';
import { newReplyDocument, newUserDocument } from './new-documents.ts';
import { findAsked, findRepeated } from './requests.ts';
import { toMessages, toOneMessage } from './to-messages.ts';

type Methods = Pick<ConversationStore, 'appendTurn' | 'appendReply' | 'askedTurn'>;

export function turnMethods(context: Context): Methods {
  const { models, changes, reads } = context;
  return {
    async appendTurn(turn) {
      const appended = await changes.change(
        turn.conversationId,
        () => look(models, turn, 'user'),
        (conversation, looked) => planTurn(context, { conversation, looked }, turn),
      );
      return appended ?? (await findRepeated(models, turn, 'user')) ?? { kind: 'not_found' };
    },
    async appendReply(reply) {
      const repeated = await findRepeated(models, reply, 'companion');
      if (repeated !== null) return repeated;
      const sibling = await reads.find({ _id: reply.siblingOf, userId: reply.userId });
      if (sibling === null) return { kind: 'not_found' };
      const appended = await changes.change(
        sibling.conversationId,
        () => look(models, reply, 'companion'),
        (conversation, looked) => planReply(context, { conversation, looked }, reply),
      );
      return appended ?? { kind: 'not_found' };
    },
    async askedTurn(userId, clientId) {
      const asked = await findAsked(models, userId, clientId);
      if (asked === null) return null;
      const { role: _, ...answer } = asked;
      return answer;
    },
  };
}

/** What stands against it, whatever the conversation is like. */
async function look(models: Models, asked: NewTurn | NewReply, role: Role) {
  const { userId, quota } = asked;
  const [repeated, overQuota] = await Promise.all([
    findRepeated(models, asked, role),
    refuseOverQuota(models, userId, quota),
  ]);
  return { repeated, overQuota };
}

interface Seen {
  readonly conversation: ConversationDocument;
  readonly looked: Awaited<ReturnType<typeof look>>;
}

async function planTurn(
  context: Context,
  { conversation, looked: { repeated, overQuota } }: Seen,
  turn: NewTurn,
): Promise<Planned<AppendedTurn>> {
  const { reads } = context;
  if (repeated !== null) return { unchanged: repeated };
  const parent = await findParent(context, conversation, turn);
  if ('kind' in parent) return { unchanged: parent };
  const { parentId, fork } = parent;
  const { _id: conversationId } = conversation;
  const group = { conversationId, parentId, role: 'user' } as const;
  const versions = fork === null || conversation.lastSeq === 0 ? [] : await reads.versions(group);
  const refused = refuseVersion(versions) ?? overQuota;
  if (refused !== null) return { unchanged: refused };
  const [seq, rev] = [conversation.lastSeq + 1, conversation.rev + 1];
  const line = fork === null ? parent.line : seq;
  const created = asCreated(turn, { parentId, seq, rev });
  const user = newUserDocument(turn, created.user, { line, fork });
  const companion = newReplyDocument(created.companion, { line, fork: null }, null);
  const updates = changedVersions(versions, rev + 2);
  return {
    change: {
      fields: {
        lastSeq: seq + 1,
        rev: rev + 1 + updates.length,
        selectedLeafId: turn.companionMessageId,
        openLine: line,
        updatedAt: Math.max(conversation.updatedAt, turn.at),
        ...withOneMore(conversation, turn.quota),
      },
      inserts: [user, companion],
      updates,
      answer: async () => {
        if (versions.length === 0) return created;
        const [newest, olderSiblings] = await versionsNow(context, user);
        return { ...created, user: newest, olderSiblings };
      },
    },
  };
}

async function planReply(
  context: Context,
  { conversation, looked: { repeated, overQuota } }: Seen,
  reply: NewReply,
): Promise<Planned<AppendedReply>> {
  const { models, reads } = context;
  const { userId, generationId, at, companionMessageId: messageId } = reply;
  const { _id: conversationId } = conversation;
  if (repeated !== null) return { unchanged: repeated };
  const sibling = await reads.find({ _id: reply.siblingOf, userId });
  if (sibling === null) return { unchanged: { kind: 'not_found' } };
  const { parentId: replyTo } = sibling;
  if (sibling.role !== 'companion' || replyTo === null) return { unchanged: notAnswered };
  const [versions, answered] = await Promise.all([
    reads.versions(sibling),
    reads.find({ _id: replyTo, userId }),
  ]);
  if (answered === null) return { unchanged: { kind: 'not_found' } };
  const refused = refuseVersion(versions) ?? overQuota;
  if (refused !== null) return { unchanged: refused };
  const [seq, rev] = [conversation.lastSeq + 1, conversation.rev + 1];
  const place = { seq, rev, parentId: replyTo };
  const message = newReply({ messageId, conversationId, userId, ...place, generationId, at });
  const branch = { line: seq, fork: { line: answered.line, seq: answered.seq } };
  const companion = newReplyDocument(message, branch, reply);
  const updates = changedVersions(versions, rev + 1);
  return {
    change: {
      fields: {
        lastSeq: seq,
        rev: rev + updates.length,
        selectedLeafId: messageId,
        openLine: seq,
        updatedAt: Math.max(conversation.updatedAt, at),
        ...withOneMore(conversation, reply.quota),
      },
      inserts: [companion],
      updates,
      answer: async () => {
        const [user, [newest, olderSiblings]] = await Promise.all([
          toOneMessage(models, answered),
          versionsNow(context, companion),
        ]);
        const generation = newGeneration({ generationId, conversationId, userId, messageId, replyTo, at });
        return { kind: 'created', user, companion: newest, generation, olderSiblings };
      },
    },
  };
}

interface Parent {
  readonly parentId: string | null;
  readonly line: number;
  /** Null: the message goes on with the line of its parent. */
  readonly fork: Fork | null;
}

async function findParent(
  context: Context,
  conversation: ConversationDocument,
  turn: NewTurn,
): Promise<Parent | NotAppended> {
  if (conversation.userId !== turn.userId) return { kind: 'not_found' };
  const { place } = turn;
  if ('siblingOf' in place) return parentOfEdited(context, turn, place.siblingOf);
  const { selectedLeafId, openLine } = conversation;
  const { parentId = selectedLeafId } = place;
  if (parentId === null) return { parentId, line: 0, fork: rootFork };
  if (parentId === selectedLeafId && openLine !== null && place.parentId === undefined)
    return { parentId, line: openLine, fork: null };
  const parent = await context.reads.find({ _id: parentId, userId: turn.userId });
  if (parent === null) return { kind: 'not_found' };
  if (parent.conversationId !== turn.conversationId)
    return { kind: 'conflict', reason: 'parentId belongs to another conversation' };
  if (place.parentId !== undefined && parent.role !== 'companion')
    return { kind: 'conflict', reason: 'parentId must name a message of the companion' };
  return { parentId, ...(await continuation(context, parent)) };
}

async function parentOfEdited(
  context: Context,
  turn: NewTurn,
  editedId: string,
): Promise<Parent | NotAppended> {
  const edited = await context.reads.find({ _id: editedId, userId: turn.userId });
  if (edited === null) return { kind: 'not_found' };
  if (edited.conversationId !== turn.conversationId)
    return { kind: 'conflict', reason: 'the edited message belongs to another conversation' };
  if (edited.role !== 'user')
    return { kind: 'unsupported', reason: 'only a message of the user can be edited' };
  const { parentId } = edited;
  if (parentId === null) return { parentId, line: 0, fork: rootFork };
  const parent = await context.reads.find({ _id: parentId, userId: turn.userId });
  if (parent === null) return { kind: 'not_found' };
  return { parentId, ...(await continuation(context, parent)) };
}

async function continuation({ reads }: Context, parent: MessageDocument): Promise<Omit<Parent, 'parentId'>> {
  const { conversationId, line, seq } = parent;
  const place: LinePlace = { line, seq };
  return { line, fork: (await reads.hasFollower(conversationId, place)) ? place : null };
}

/** One message more beside these: why it cannot be, or null. */
function refuseVersion(versions: readonly MessageDocument[]): NotAppended | null {
  if (versions.length < siblingsMax) return null;
  return { kind: 'unsupported', reason: `a message can have ${siblingsMax} versions at most` };
}

const notAnswered: NotAppended = {
  kind: 'unsupported',
  reason: 'only a message of the companion can be written anew',
};

/** `siblings.count` of the older versions of a new message has changed: that gives each of them a new `rev`. */
function changedVersions(versions: readonly MessageDocument[], firstRev: number): MessageUpdate[] {
  return versions.map(({ seq, rev: was }, index) => ({
    ...{ seq, was },
    rev: firstRev + index,
    set: [],
    unset: [],
  }));
}

/** The newest version, and the older ones. */
async function versionsNow(
  { models, reads }: Context,
  newest: MessageDocument,
): Promise<[newest: Message, older: Message[]]> {
  const versions = await toMessages(models, await reads.versions(newest));
  const isNewest = ({ messageId }: Message) => messageId === newest._id;
  return [only(versions.filter(isNewest)), versions.filter((version) => !isNewest(version))];
}

function only<T>(found: readonly T[]): T {
  const [one] = found;
  if (one === undefined) throw new Error('A stored message is gone.');
  return one;
}
