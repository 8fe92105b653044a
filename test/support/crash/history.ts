/** What clients know after crashes, what the store holds, and what of it does not fit together. Pure. */

/** Something a client asked for under an id of its own, again and again until it was answered. */
export interface ClientRequest {
  readonly clientId: string;
  readonly event: 'message:send' | 'message:edit' | 'reply:regenerate';
  /** Of a message; null for a further reply. */
  readonly text: string | null;
  /** Null when it was refused, or never answered. */
  answer: { readonly messageId: string | null; readonly generationId: string } | null;
}

/** A reply as a client saw it. */
export interface SeenReply {
  text: string;
  /** How it ended there; null while it has not. */
  end: { readonly status: string; readonly text: string } | null;
}

export interface ClientHistory {
  readonly userId: string;
  readonly conversationId: string;
  readonly requests: readonly ClientRequest[];
  /** By generation. */
  readonly replies: ReadonlyMap<string, SeenReply>;
  /** What the client itself found wrong while it read: holes, second ends, events of others. */
  readonly wrongs: readonly string[];
}

export interface StoredMessage {
  readonly messageId: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly seq: number;
  readonly role: 'user' | 'companion';
  readonly text: string;
  readonly status: string;
}

export interface StoredGeneration {
  readonly generationId: string;
  readonly userId: string;
  readonly replyTo: string;
  readonly status: string;
  readonly text: string;
}

export interface StoredRequest {
  readonly userId: string;
  readonly clientId: string;
  readonly messageId: string;
  readonly generationId: string;
}

export interface StoredHistory {
  readonly messages: readonly StoredMessage[];
  readonly generations: readonly StoredGeneration[];
  readonly requests: readonly StoredRequest[];
}

export type ViolationKind =
  | 'wrong'
  | 'lost'
  | 'changed'
  | 'duplicated'
  | 'unanswered'
  | 'foreign'
  | 'gap'
  | 'running'
  | 'not_contiguous';

export interface Violation {
  readonly kind: ViolationKind;
  readonly what: string;
}

export function findViolations(clients: readonly ClientHistory[], stored: StoredHistory): Violation[] {
  return [...clients.flatMap((client) => checkClient(client, stored)), ...checkStore(stored)];
}

function checkClient(client: ClientHistory, stored: StoredHistory): Violation[] {
  const { userId } = client;
  const found: Violation[] = client.wrongs.map((what) => ({ kind: 'wrong', what: `${userId}: ${what}` }));
  const report = (kind: ViolationKind, what: string) => found.push({ kind, what: `${userId}: ${what}` });
  for (const { clientId, text, answer } of client.requests) {
    const rows = stored.requests.filter((row) => row.userId === userId && row.clientId === clientId);
    if (rows.length > 1) report('duplicated', `request ${clientId}`);
    const written = stored.messages.filter(
      (message) => text !== null && message.role === 'user' && message.text === text,
    );
    if (written.length > 1) report('duplicated', `message "${text}"`);
    if (answer === null) continue;
    const row = rows[0];
    if (row === undefined) report('lost', `acknowledged request ${clientId}`);
    else if (row.generationId !== answer.generationId) report('changed', `generation of ${clientId}`);
    const message = stored.messages.find(({ messageId }) => messageId === answer.messageId);
    if (answer.messageId !== null && message === undefined) report('lost', `message ${answer.messageId}`);
    if (message !== undefined && text !== null && message.text !== text)
      report('changed', `text of ${clientId}`);
    if (message !== undefined && message.userId !== userId) report('foreign', `message of ${clientId}`);
  }
  for (const [generationId, seen] of client.replies) {
    const generation = stored.generations.find((one) => one.generationId === generationId);
    if (generation === undefined) {
      report('lost', `generation ${generationId}`);
      continue;
    }
    if (generation.userId !== userId) report('foreign', `generation ${generationId}`);
    if (!generation.text.startsWith(seen.text)) report('not_contiguous', generationId);
    if (seen.end === null) continue;
    if (seen.end.text !== generation.text) report('changed', `text of ${generationId} after its end`);
    if (seen.end.status !== generation.status) report('changed', `status of ${generationId} after its end`);
  }
  return found;
}

function checkStore({ messages, generations }: StoredHistory): Violation[] {
  const found: Violation[] = [];
  const isUnfinished = (status: string) => status === 'queued' || status === 'running';
  for (const { generationId, status } of generations) {
    if (isUnfinished(status)) found.push({ kind: 'running', what: `generation ${generationId}` });
  }
  const seqs = new Map<string, number[]>();
  for (const message of messages) {
    seqs.set(message.conversationId, [...(seqs.get(message.conversationId) ?? []), message.seq]);
    if (isUnfinished(message.status)) found.push({ kind: 'running', what: `message ${message.messageId}` });
    if (message.role === 'companion') continue;
    const replies = generations.filter(({ replyTo }) => replyTo === message.messageId);
    if (replies.length === 0) found.push({ kind: 'unanswered', what: `message ${message.messageId}` });
  }
  for (const [conversationId, own] of seqs) {
    const sorted = own.toSorted((a, b) => a - b);
    if (sorted.some((seq, place) => seq !== place + 1))
      found.push({ kind: 'gap', what: `seq of ${conversationId}` });
  }
  return found;
}
