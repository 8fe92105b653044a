/** The runner that the engine's own tests use keeps the promises of a real one. */
import { ScriptedRunner, scriptedVocabulary } from '../support/scripted-runner.ts';
import { describeModelRunner } from './model-runner.contract.ts';

describeModelRunner('scripted', {
  open: async (size) => new ScriptedRunner(size),
  vocabularySize: scriptedVocabulary.size,
  tolerance: 0,
});
