import { setTimeout as pause } from 'node:timers/promises';
import { alternativesOf } from '../../conversation/alternatives.ts';
import type { Message } from '../../conversation/message.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { Call, Handler } from '../handler.ts';
import { findGeneration, findMessage } from '../ownership.ts';

/** How long an answer waits for the runner-up, which is written at the lowest priority; clients give up after some 10 s. */
const runnerUpWaitMs = 5000;

/** What a reply could have been. Of one that has not ended: nothing yet. */
export const replyAlternatives: Handler<'reply:alternatives'> = async (call, { messageId }, ack) => {
  const generationId = generationOf(await findMessage(call, messageId));
  if (call.replies.find(generationId)?.stream.end === null) return ack({ alternatives: [] });
  await waitForRunnerUp(call, generationId);
  const message = await findMessage(call, messageId);
  const alternatives = alternativesOf(message, await findGeneration(call, generationId));
  ack({ alternatives: alternatives.map((one) => ({ ...one })) });
};

/** @throws CodedError `unsupported` for a message of the user. */
export function generationOf({ generationId }: Message): string {
  if (generationId !== null) return generationId;
  throw new CodedError('unsupported', 'Only messages of the companion have alternatives.');
}

async function waitForRunnerUp({ replies }: Call, generationId: string): Promise<void> {
  const timer = new AbortController();
  const patience = pause(runnerUpWaitMs, undefined, { ref: false, signal: timer.signal }).catch(
    () => undefined,
  );
  await Promise.race([replies.settled(generationId), patience]);
  timer.abort();
}
