import { CodedError } from '../../std/coded-error.ts';
import type { Handler } from '../handler.ts';
import { findGenerationAndReply, findMessage } from '../ownership.ts';
import { toWireMessage } from '../to-wire.ts';

/** All text of a reply from `offset` on; the next live delta of this device starts where it ends. */
export const generationResume: Handler<'generation:resume'> = async (call, { generationId, offset }, ack) => {
  const { session } = call;
  const { generation, reply } = await findGenerationAndReply(call, generationId);
  if (reply !== undefined && reply.stream.end === null) {
    // In one tick: read the text, answer, and continue the device's reader where the answer ends.
    const { stream, status, turn } = reply;
    ack({ text: tailFrom(stream.text, offset), offset, status });
    session.join(turn.conversationId);
    session.follow(reply, stream.text.length);
    return;
  }
  // What this device has yet to be told of it comes before the answer, which says that it has ended: after that nothing comes.
  await session.delivered(generationId);
  const end = reply?.stream.end;
  const message = end?.message ?? (await findMessage(call, generation.messageId));
  const ended = reply === undefined ? generation : { text: message.text, status: message.status };
  ack({ text: tailFrom(ended.text, offset), offset, status: ended.status, message: toWireMessage(message) });
};

/** @throws CodedError `invalid_payload` for an offset past the end, or inside a surrogate pair. */
function tailFrom(text: string, offset: number): string {
  if (offset > text.length)
    throw new CodedError('invalid_payload', `offset is past the end of the text (${text.length})`);
  const tail = text.slice(offset);
  if (/^[\uDC00-\uDFFF]/.test(tail) && offset > 0)
    throw new CodedError('invalid_payload', 'offset splits a character');
  return tail;
}
