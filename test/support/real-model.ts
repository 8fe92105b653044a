import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRegistry } from '../../models/registry.ts';
import { MANIFEST_FILE } from '../../src/onnx/manifest.ts';
import { requireOrSkip } from './require-or-skip.ts';

/**
 * Where the default model lies in this clone, and whether it is there: for `describe.runIf(isPresent)`.
 *
 * @throws when it is missing and AMITY_TEST_REQUIRE=all.
 */
export async function findRealModel(): Promise<{ directory: string; isPresent: boolean }> {
  const name = (await readRegistry()).default;
  const directory = fileURLToPath(new URL(`../../data/models/${name}`, import.meta.url));
  const isPresent = requireOrSkip(
    `the model ${name}`,
    existsSync(join(directory, MANIFEST_FILE)),
    `it is not in ${directory}; "npx amity model pull" fetches it`,
  );
  return { directory, isPresent };
}
