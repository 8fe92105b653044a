import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptTemplate } from '../conversation/prompt-template.ts';
import { CodedError } from '../std/coded-error.ts';
import { createChatTemplate } from './chat-template.ts';
import { type Manifest, readManifest, verifyFiles } from './manifest.ts';
import { type ModelTokenizer, openTokenizer } from './tokenizer.ts';

/** A model as everybody but the runner needs it: no session, no weights in memory. */
export interface OpenedModel {
  readonly manifest: Manifest;
  readonly tokenizer: ModelTokenizer;
  /** Null where the model brought none: it was not trained to chat. */
  readonly chatTemplate: PromptTemplate | null;
}

/**
 * Opens a model directory for tokenizing and prompting.
 *
 * @param options.checksums whether the files' contents are compared with the manifest too, not only their sizes.
 * @throws CodedError `model_unavailable` with a sentence that names the file and the command that mends it.
 */
export async function openModel(
  directory: string,
  options: { readonly checksums: boolean } = { checksums: false },
): Promise<OpenedModel> {
  const manifest = await readManifest(directory).catch((cause: unknown) => {
    throw new CodedError('model_unavailable', cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  });
  const [problem] = await verifyFiles(directory, manifest, options);
  if (problem !== undefined) throw new CodedError('model_unavailable', problem.message);
  const tokenizer = await openTokenizer(directory, manifest);
  return { manifest, tokenizer, chatTemplate: await openChatTemplate(directory, manifest, tokenizer) };
}

async function openChatTemplate(
  directory: string,
  manifest: Manifest,
  tokenizer: ModelTokenizer,
): Promise<PromptTemplate | null> {
  const file = manifest.files.chatTemplate;
  if (file === undefined) return null;
  return createChatTemplate(await readFile(join(directory, file.path), 'utf8'), tokenizer.specials);
}
