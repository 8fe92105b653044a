/** Edits of user messages and further replies: versions beside one another, none of which is overwritten. */
import { expect, it } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import { siblingsMax } from '../../src/conversation/stores.ts';
import type { StoreUnderTest } from './store.contract.ts';
import { answerFor, createScenario, expectCreated, unfinishedOf } from './store-scenario.ts';

export function versionPromises(underTest: StoreUnderTest): void {
  editPromises(underTest);
  furtherReplyPromises(underTest);
  requestPromises(underTest);

  it(`takes ${siblingsMax} versions of a message and refuses one more, each with a reason`, async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { user: sent, companion } = await user.send('Hello');
    for (let n = 1; n < siblingsMax; n += 1) {
      await user.edit(sent.messageId, `${n}`);
      await user.regenerate(companion.messageId);
    }
    const before = await store.conversation(user.userId, user.conversationId);
    const unsupported = { kind: 'unsupported', reason: expect.stringMatching(/100 versions/) };
    const edit = user.turn({ place: { siblingOf: sent.messageId } });
    expect(await store.appendTurn(edit)).toStrictEqual(unsupported);
    expect(await store.appendTurn(user.turn({ place: { parentId: null } }))).toStrictEqual(unsupported);
    const reply = user.reply(companion.messageId);
    expect(await store.appendReply(reply)).toStrictEqual(unsupported);
    expect(await store.conversation(user.userId, user.conversationId)).toStrictEqual(before);
    // Refused leaves no trace: the ids may be used again.
    const { clientId, bodyHash } = edit;
    expect((await store.appendTurn(user.turn({ clientId, bodyHash: `other ${bodyHash}` }))).kind).toBe(
      'created',
    );
  });
}

function editPromises(underTest: StoreUnderTest): void {
  it('stores an edit beside the edited message, with a reply of its own, and selects it', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const root = await user.exchange('one', 'first');
    const { user: edited, companion: answered } = await user.send('two');
    await user.send('three');
    const edit = await user.edit(edited.messageId, 'two, better');
    expect(edit.user).toMatchObject({
      ...{ parentId: root.messageId, role: 'user', text: 'two, better', seq: 7 },
      siblings: { index: 1, count: 2 },
    });
    expect(edit.companion).toMatchObject({ parentId: edit.user.messageId, status: 'queued', seq: 8 });
    expect(edit.generation).toMatchObject({ replyTo: edit.user.messageId, status: 'queued', attempts: 0 });
    expect(await store.message(user.userId, edited.messageId)).toMatchObject({ text: 'two' });
    expect(await store.message(user.userId, answered.messageId)).toStrictEqual(answered);
    expect((await store.conversation(user.userId, user.conversationId))?.selectedLeafId).toBe(
      edit.companion.messageId,
    );
  });

  it('makes a new root of an edited root', async () => {
    const user = await createScenario(underTest.store);
    const { user: root } = await user.send('one');
    const edit = await user.edit(root.messageId, 'one, better');
    expect(edit.user).toMatchObject({ parentId: null, siblings: { index: 1, count: 2 } });
  });

  it('gives each older sibling of a new message a rev of its own, and nobody else', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { conversationId } = user;
    const one = await user.send('one');
    const two = await user.edit(one.user.messageId, 'two');
    const [oneId, twoId] = [one.user.messageId, two.user.messageId];
    expect(two.olderSiblings).toStrictEqual([
      { ...one.user, rev: 5, siblings: { index: 0, count: 2, nextId: twoId } },
    ]);
    // A message to a place where others stand is one more version there, whatever it came as.
    const three = await user.send('three', null);
    expect(three.olderSiblings).toStrictEqual([
      { ...one.user, rev: 8, siblings: { index: 0, count: 3, nextId: twoId } },
      {
        ...{ ...two.user, rev: 9 },
        siblings: { index: 1, count: 3, previousId: oneId, nextId: three.user.messageId },
      },
    ]);
    expect(await store.changedAfter(conversationId, 7)).toStrictEqual(three.olderSiblings);
    expect((await store.conversation(user.userId, conversationId))?.rev).toBe(9);
    expect((await user.send('below')).olderSiblings).toStrictEqual([]);
  });

  it('edits only what is a message of the user', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { companion } = await ada.send('mine');
    const { user: theirs } = await bob.send('theirs');
    const edit = (siblingOf: string) => store.appendTurn(ada.turn({ place: { siblingOf } }));
    expect(await edit(companion.messageId)).toStrictEqual({
      kind: 'unsupported',
      reason: expect.stringMatching(/message of the user/),
    });
    expect(await edit(theirs.messageId)).toStrictEqual({ kind: 'not_found' });
    expect(await edit('unknown')).toStrictEqual({ kind: 'not_found' });
    expect(await store.conversation(ada.userId, ada.conversationId)).toMatchObject({ lastSeq: 2, rev: 2 });
  });
}

function furtherReplyPromises(underTest: StoreUnderTest): void {
  it('stores a further reply beside the first one, and selects it', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const first = await user.exchange('Hello', 'Hi');
    const below = await user.exchange('more', 'yes');
    const reply = user.reply(first.messageId, { at: 9e12 });
    const appended = expectCreated(await store.appendReply(reply));
    const { companionMessageId: messageId, generationId } = reply;
    const { conversationId, userId } = user;
    expect(appended.companion).toStrictEqual({
      ...{ messageId, conversationId, userId, seq: 5, rev: 9, role: 'companion', text: '' },
      ...{ status: 'queued', createdAt: 9e12, parentId: first.parentId, clientMessageId: null, generationId },
      ...{ finishReason: null, shownCandidateId: null, model: null, variant: null, reaction: null },
      siblings: { index: 1, count: 2, previousId: first.messageId },
    });
    expect(appended.user).toStrictEqual(await store.message(userId, first.parentId ?? ''));
    expect(appended.generation).toMatchObject({ messageId, replyTo: first.parentId, status: 'queued' });
    const older: Message = { ...first, rev: 10, siblings: { index: 0, count: 2, nextId: messageId } };
    expect(appended.olderSiblings).toStrictEqual([older]);
    expect(await store.message(userId, first.messageId)).toStrictEqual(older);
    expect(await store.message(userId, below.messageId)).toStrictEqual(below);
    expect(await store.conversation(userId, conversationId)).toMatchObject({
      selectedLeafId: messageId,
      lastSeq: 5,
      rev: 10,
      updatedAt: 9e12,
    });
    expect(await unfinishedOf(store, conversationId)).toStrictEqual([appended.generation]);
  });

  it('writes anew what is empty, failed or still running', async () => {
    const user = await createScenario(underTest.store);
    const { companion, generation } = await user.send('Hello');
    await user.regenerate(companion.messageId);
    await user.end(generation.generationId, '', { status: 'failed', finishReason: null });
    expect((await user.regenerate(companion.messageId)).companion.siblings).toMatchObject({
      index: 2,
      count: 3,
    });
  });

  it('writes anew only what is a reply', async () => {
    const { store } = underTest;
    const [ada, bob] = [await createScenario(store), await createScenario(store)];
    const { user: sent } = await ada.send('mine');
    const { companion: theirs } = await bob.send('theirs');
    const regenerate = (siblingOf: string) => store.appendReply(ada.reply(siblingOf));
    expect(await regenerate(sent.messageId)).toStrictEqual({
      kind: 'unsupported',
      reason: expect.stringMatching(/message of the companion/),
    });
    expect(await regenerate(theirs.messageId)).toStrictEqual({ kind: 'not_found' });
    expect(await regenerate('unknown')).toStrictEqual({ kind: 'not_found' });
    expect(await store.conversation(ada.userId, ada.conversationId)).toMatchObject({ lastSeq: 2, rev: 2 });
  });
}

function requestPromises(underTest: StoreUnderTest): void {
  it('answers a repeated further reply with what the first call stored', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const first = await user.exchange('Hello', 'Hi');
    const reply = user.reply(first.messageId);
    const { companion, generation } = expectCreated(await store.appendReply(reply));
    const { clientId, bodyHash } = reply;
    const answer = answerFor(companion, generation.generationId);
    expect(await store.appendReply(user.reply(first.messageId, { clientId, bodyHash }))).toStrictEqual({
      kind: 'duplicate',
      ...answer,
    });
    expect(await store.askedTurn(user.userId, clientId)).toStrictEqual({
      bodyHash,
      ...answer,
    });
    expect(await store.appendReply(user.reply(first.messageId, { clientId }))).toStrictEqual({
      kind: 'conflict',
      reason: expect.stringMatching(/clientRequestId/),
    });
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq: 3 });
  });

  it('knows one set of client ids for messages, edits and further replies', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const turn = user.turn();
    const { user: sent, companion } = expectCreated(await store.appendTurn(turn));
    const reply = user.reply(companion.messageId);
    await store.appendReply(reply);
    // Even were the hashes of two kinds of request the same.
    const { bodyHash } = turn;
    expect((await store.appendReply({ ...reply, clientId: turn.clientId, bodyHash })).kind).toBe('conflict');
    const place = { siblingOf: sent.messageId };
    const edit = user.turn({ clientId: reply.clientId, bodyHash: reply.bodyHash, place });
    expect((await store.appendTurn(edit)).kind).toBe('conflict');
  });

  it('stores one reply out of four concurrent calls with one id and body', async () => {
    const { store } = underTest;
    const user = await createScenario(store);
    const { messageId } = await user.exchange('Hello', 'Hi');
    const { clientId, bodyHash } = user.turn();
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => store.appendReply(user.reply(messageId, { clientId, bodyHash }))),
    );
    expect(answers.map(({ kind }) => kind).sort()).toStrictEqual([
      'created',
      'duplicate',
      'duplicate',
      'duplicate',
    ]);
    expect(await store.conversation(user.userId, user.conversationId)).toMatchObject({ lastSeq: 3 });
  });
}
