import { buildPrompt } from '../../conversation/prompt.ts';
import { readWindow } from '../../conversation/windows.ts';
import type { Handler } from '../handler.ts';
import { findGeneration } from '../ownership.ts';
import { toWireTrace } from '../to-wire.ts';

/** What went into the prompt of a reply, and why. Before the reply has begun: what would go into it now. */
export const promptTrace: Handler<'prompt:trace'> = async (call, { generationId }, ack) => {
  const generation = await findGeneration(call, generationId);
  const stored = await call.store.promptTrace(call.session.userId, generationId, call.clock.now());
  const trace = stored ?? buildPrompt(call.prompt, await readWindow(call.store, generation)).trace;
  ack({ trace: toWireTrace(trace) });
};
