import { alternativesOf } from '../../conversation/alternatives.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { Handler } from '../handler.ts';
import { findGeneration, findMessage } from '../ownership.ts';

/** What a reply could have been. Waits for the runner-up while it is being written; of a reply that has not ended: nothing yet. */
export const replyAlternatives: Handler<'reply:alternatives'> = async (call, { messageId }, ack) => {
  const { generationId } = await findMessage(call, messageId);
  if (generationId === null)
    throw new CodedError('unsupported', 'Only messages of the companion have alternatives.');
  const reply = call.replies.find(generationId);
  if (reply !== undefined && reply.stream.end === null) return ack({ alternatives: [] });
  await call.replies.settled(generationId);
  const message = await findMessage(call, messageId);
  const alternatives = alternativesOf(message, await findGeneration(call, generationId));
  ack({ alternatives: alternatives.map((one) => ({ ...one })) });
};
