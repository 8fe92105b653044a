/** Limits a client must know. Free of zod, so that the client SDK can use them at run time. */
export const PROTOCOL_VERSION = 1;

export const limits = {
  /** Bytes of UTF-8 in one message. */
  textBytesMax: 8000,
  /** Bytes of UTF-8 in the comment of a reaction. */
  commentBytesMax: 1000,
  /** Bytes of UTF-8 in the title of a conversation. */
  titleBytesMax: 200,
  /** Bytes of UTF-8 in what is searched for. */
  queryBytesMax: 500,
  /** Messages in a page when the client names no limit. */
  pageDefault: 50,
  pageMax: 200,
  /** Bytes of one frame; a larger one closes the connection. */
  frameBytesMax: 32_768,
} as const;
