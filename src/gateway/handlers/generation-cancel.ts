import type { Handler } from '../handler.ts';
import { findGenerationAndReply } from '../ownership.ts';

/** Stops a reply and keeps its text; harmless when it has ended. Answers with the status after the call. */
export const generationCancel: Handler<'generation:cancel'> = async (call, { generationId }, ack) => {
  const { generation, reply } = await findGenerationAndReply(call, generationId);
  if (reply === undefined) return ack({ status: generation.status });
  if (reply.stopReason === null && call.replies.cancel(generationId)) call.observer.replyStopped();
  const end = await reply.stream.ended();
  ack({ status: end.message.status });
};
