/** The runner that the engine's own tests use keeps the promises of a real one. */
import { ScriptedRunner, scriptedVocabulary } from '../support/scripted-runner.ts';
import { describeModelRunner } from './model-runner.contract.ts';

describeModelRunner('scripted', {
  open: async ({ kept, ...size }) =>
    new ScriptedRunner({ ...size, blocks: kept.blocks, blockTokens: kept.tokens }),
  vocabularySize: scriptedVocabulary.size,
  tolerance: 0,
});
