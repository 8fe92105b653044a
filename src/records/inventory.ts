/**
 * Every place where something of a person is kept: what is exported and erased goes by this list, docs/privacy.md is written from it, and a
 * test fails when a table or a collection is missing from it.
 */
export interface Holding {
  /** What is kept there, for people. */
  readonly what: string;
  /**
   * Tables of the embedded store that hold it, and how it is taken out: by the column of this name; with the conversations that it belongs to;
   * or it is kept, since it says nothing of anybody.
   */
  readonly tables: Readonly<Record<string, 'user_id' | 'with conversations' | 'kept'>>;
  /** Collections of MongoDB, and the field by which it is taken out. */
  readonly collections: Readonly<Record<string, 'userId' | '_id' | 'kept'>>;
  /** Where it stands in an export; or why it does not. */
  readonly exported: string;
  /** What happens to it when the user is erased. */
  readonly erased: string;
}

export const inventory: readonly Holding[] = [
  {
    what: 'Conversations: titles, counters, which branch is shown, turns of the day',
    tables: { conversations: 'user_id' },
    collections: { conversations: 'userId' },
    exported: '`conversations`',
    erased: 'Taken out.',
  },
  {
    what: 'Messages of both sides, on all branches; ids of deleted ones',
    tables: {
      messages: 'with conversations',
      external_ids: 'with conversations',
      deleted_messages: 'with conversations',
    },
    collections: { messages: 'userId' },
    exported: '`conversations[].messages`, `.deleted`',
    erased: 'Taken out.',
  },
  {
    what: 'What each reply was made from: prompts (7 days), candidates, settings of the model',
    tables: {
      generations: 'with conversations',
      candidates: 'with conversations',
      generation_log: 'with conversations',
      prompt_traces: 'with conversations',
    },
    collections: { prompt_traces: 'userId' },
    exported: '`conversations[].messages[].generation`',
    erased: 'Taken out.',
  },
  {
    what: 'Reactions with their comments, preferred candidates, how a conversation left somebody',
    tables: {
      reactions: 'with conversations',
      preferences: 'with conversations',
      session_feedback: 'with conversations',
    },
    collections: { preferences: 'userId', session_feedback: 'userId' },
    exported: '`conversations[].messages[].reaction`, `.preferences`, `.feedback`',
    erased: 'Taken out.',
  },
  {
    what: 'Ids that devices gave to what they asked for',
    tables: { client_requests: 'user_id' },
    collections: {},
    exported: '`conversations[].requests`',
    erased: 'Taken out.',
  },
  {
    what: 'Words by which messages are found',
    tables: {
      searchable_messages: 'with conversations',
      search_index: 'with conversations',
      search_index_data: 'with conversations',
      search_index_idx: 'with conversations',
      search_index_docsize: 'with conversations',
      search_index_config: 'kept',
      search_progress: 'kept',
    },
    collections: {},
    exported: 'As the messages that they are taken from.',
    erased: 'Taken out with the messages.',
  },
  {
    what: 'Settings: consent to training, language, time zone',
    tables: { user_settings: 'user_id' },
    collections: { user_settings: '_id' },
    exported: '`settings`',
    erased: 'Taken out.',
  },
  {
    what: 'How many turns were asked for on a day',
    tables: { daily_turns: 'user_id' },
    collections: { daily_turns: 'userId' },
    exported: '`dailyTurns`',
    erased: 'Taken out.',
  },
  {
    what: 'That a guest was erased: a hash of their id, so that their tokens are refused',
    tables: { erased_users: 'kept' },
    collections: { erased_users: 'kept' },
    exported: 'Not: there is nothing else then.',
    erased: 'Kept for 31 days, as long as a token of theirs could last; then it goes.',
  },
  {
    what: 'Upkeep of the store itself',
    tables: { pings: 'kept', meta: 'kept' },
    collections: { meta: 'kept' },
    exported: 'Not: it says nothing of anybody.',
    erased: 'Kept.',
  },
  {
    what: 'In memory: replies that are being written, the newest turns of active conversations, what the model made of earlier prompts',
    tables: {},
    collections: {},
    exported: 'Not: it is made from what is exported.',
    erased:
      'Replies are stopped. Turns in memory are compared with the store before each use, and prompts are found again by their own words only; both give way to newer ones, or go when the process ends.',
  },
  {
    what: 'Log lines: user ids, kinds of events and errors, never a text',
    tables: {},
    collections: {},
    exported: 'Not: how long they are kept is up to whoever collects them.',
    erased: 'Kept: for as long as whoever collects them keeps them.',
  },
  {
    what: 'Files that `amity user export` and backups have written',
    tables: {},
    collections: {},
    exported: 'They are exports.',
    erased: 'Kept: Amity does not know where they are. docs/operations.md says what to do about backups.',
  },
];

/** Tables, or collections, with how each is treated. */
export function treatments<K extends 'tables' | 'collections'>(kind: K): [string, Holding[K][string]][] {
  return inventory.flatMap((holding) => Object.entries(holding[kind]) as [string, Holding[K][string]][]);
}
