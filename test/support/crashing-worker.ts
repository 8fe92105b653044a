/** The real generation worker, except that a prompt with this word in it kills the thread while it runs. */

import type { GenerateTask } from '../../src/pool/messages.ts';
import generate from '../../workers/generate.ts';

const KILLING_WORD = 'KILL-THE-WORKER';

export default function generateOrDie(task: GenerateTask): Promise<void> {
  if (task.request.prompt.some(({ text }) => text.includes(KILLING_WORD))) {
    setImmediate(() => {
      throw new Error('killed by a test');
    });
  }
  return generate(task);
}
