import type { ConversationRecord, MessageRecord } from './record.ts';

/** What is wrong with a conversation as it is kept, in sentences for the operator; nothing of it may ever be. */
export function checkConversation(record: ConversationRecord): string[] {
  const { messages, conversationId, selectedLeafId } = record;
  const byId = new Map(messages.map((message) => [message.messageId, message]));
  const problems = [
    ...checkOrder(record),
    ...messages.flatMap((message) => checkMessage(message, byId)),
    ...checkRequests(record, byId),
  ];
  if (selectedLeafId !== null && !byId.has(selectedLeafId))
    problems.push(`its selected message ${selectedLeafId} is missing`);
  return problems.map((problem) => `conversation ${conversationId}: ${problem}`);
}

/** `seq` has no gaps but those of deleted messages, and nothing is beyond what the conversation counts. */
function checkOrder({ messages, deleted, lastSeq, rev }: ConversationRecord): string[] {
  const problems: string[] = [];
  if (new Set(messages.map(({ seq }) => seq)).size < messages.length)
    problems.push('two messages have one seq');
  if (messages.length + deleted.length !== lastSeq)
    problems.push(
      `of ${lastSeq} messages that were counted, ${messages.length} are there and ${deleted.length} were deleted`,
    );
  for (const message of messages) {
    if (message.seq > lastSeq) problems.push(`message ${message.messageId} comes after the last seq`);
    if (message.rev > rev) problems.push(`message ${message.messageId} is newer than its conversation`);
  }
  return problems;
}

function checkMessage(message: MessageRecord, byId: ReadonlyMap<string, MessageRecord>): string[] {
  const { messageId, parentId, seq, role, generationId, generation, text } = message;
  const parent = parentId === null ? null : byId.get(parentId);
  const problems: string[] = [];
  if (parent === undefined) problems.push(`the parent of message ${messageId} is missing`);
  else if (parent !== null && parent.seq >= seq)
    problems.push(`message ${messageId} comes before its parent`);
  if ((role === 'companion') !== (generationId !== null))
    problems.push(`message ${messageId} of the ${role} has ${generationId === null ? 'no' : 'a'} generation`);
  if (generation === null) return problems;
  const hasEnded = generation.endedAt !== null;
  if (hasEnded !== (message.status !== 'queued' && message.status !== 'running'))
    problems.push(`message ${messageId} is ${message.status}, its generation ${generation.status}`);
  // What is shown is what the generation ended with, or a candidate that was chosen later.
  const shown = [generation.text, ...generation.candidates.map((candidate) => candidate.text)];
  if (hasEnded && !shown.includes(text)) problems.push(`message ${messageId} shows what nobody wrote`);
  return problems;
}

function checkRequests(
  { requests, deleted }: ConversationRecord,
  byId: ReadonlyMap<string, MessageRecord>,
): string[] {
  const gone = new Set(deleted.map(({ messageId }) => messageId));
  return requests
    .filter(({ messageId, seq }) => !gone.has(messageId) && byId.get(messageId)?.seq !== seq)
    .map(({ clientId, messageId }) => `request ${clientId} made message ${messageId}, which is missing`);
}
