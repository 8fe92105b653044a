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
  const index = indexOf(stored);
  return [...clients.flatMap((client) => checkClient(client, index)), ...checkStore(stored)];
}

/** Tens of thousands of rows are asked for again and again. */
function indexOf({ messages, generations, requests }: StoredHistory) {
  const written = messages.filter(({ role }) => role === 'user');
  return {
    requests: groupBy(requests, ({ userId, clientId }) => `${userId} ${clientId}`),
    written: groupBy(written, ({ text }) => text),
    messages: groupBy(messages, ({ messageId }) => messageId),
    generations: groupBy(generations, ({ generationId }) => generationId),
  };
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

function checkClient(client: ClientHistory, stored: ReturnType<typeof indexOf>): Violation[] {
  const { userId } = client;
  const found: Violation[] = client.wrongs.map((what) => ({ kind: 'wrong', what: `${userId}: ${what}` }));
  const report = (kind: ViolationKind, what: string) => found.push({ kind, what: `${userId}: ${what}` });
  for (const { clientId, text, answer } of client.requests) {
    const rows = stored.requests.get(`${userId} ${clientId}`) ?? [];
    if (rows.length > 1) report('duplicated', `request ${clientId}`);
    const written = text === null ? [] : (stored.written.get(text) ?? []);
    if (written.length > 1) report('duplicated', `message "${text}"`);
    if (answer === null) continue;
    const row = rows[0];
    if (row === undefined) report('lost', `acknowledged request ${clientId}`);
    else if (row.generationId !== answer.generationId) report('changed', `generation of ${clientId}`);
    const message = stored.messages.get(answer.messageId ?? '')?.[0];
    if (answer.messageId !== null && message === undefined) report('lost', `message ${answer.messageId}`);
    if (message !== undefined && text !== null && message.text !== text)
      report('changed', `text of ${clientId}`);
    if (message !== undefined && message.userId !== userId) report('foreign', `message of ${clientId}`);
  }
  for (const [generationId, seen] of client.replies) {
    const generation = stored.generations.get(generationId)?.[0];
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
  const answered = new Set(generations.map(({ replyTo }) => replyTo));
  for (const message of messages) {
    if (isUnfinished(message.status)) found.push({ kind: 'running', what: `message ${message.messageId}` });
    if (message.role === 'companion') continue;
    if (!answered.has(message.messageId))
      found.push({ kind: 'unanswered', what: `message ${message.messageId}` });
  }
  for (const [conversationId, own] of groupBy(messages, (message) => message.conversationId)) {
    const sorted = own.map(({ seq }) => seq).sort((a, b) => a - b);
    if (sorted.some((seq, place) => seq !== place + 1))
      found.push({ kind: 'gap', what: `seq of ${conversationId}` });
  }
  return found;
}
