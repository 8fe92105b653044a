/** The real generation worker, except that a prompt with one of these words in it kills it while it runs. */

import type { GenerateTask } from '../../src/pool/messages.ts';
import generate from '../../workers/generate.ts';

const deaths: Readonly<Record<string, () => void>> = {
  'KILL-THE-WORKER': () => {
    throw new Error('killed by a test');
  },
  // As the runtime does where an assertion of its own fails: the whole process ends.
  'ABORT-THE-PROCESS': () => process.kill(process.pid, 'SIGABRT'),
};

export default function generateOrDie(task: GenerateTask): Promise<void> {
  for (const [word, die] of Object.entries(deaths)) {
    if (task.request.prompt.some(({ text }) => text.includes(word))) setImmediate(die);
  }
  return generate(task);
}
