import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { hubText } from '../text/hub-text.ts';
import type { Checkpoint } from './checkpoint.ts';
import { openSafetensors } from './safetensors.ts';

type Json = Readonly<Record<string, unknown>>;

const WEIGHTS = 'model.safetensors';
const WEIGHTS_INDEX = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Opens a folder as `save_pretrained` writes it: config.json, model.safetensors (or its index and parts),
 * tokenizer.json; tokenizer_config.json, generation_config.json and chat_template.jinja where they exist.
 */
export async function openHuggingFaceFolder(directory: string): Promise<Checkpoint> {
  const described = await readDescription(directory);
  const tensors = await openSafetensors(await weightFiles(directory));
  return { ...described, tensors, [Symbol.asyncDispose]: () => tensors[Symbol.asyncDispose]() };
}

/** What such a folder says of the model beside its weights. */
export async function readDescription(directory: string): Promise<Pick<Checkpoint, 'config' | 'text'>> {
  const required = async (name: string) => {
    const json = await readJson(join(directory, name));
    if (json === null) throw new Error(`${directory} has no ${name}`);
    return json;
  };
  const config = await required('config.json');
  const text = hubText({
    config,
    tokenizer: await required('tokenizer.json'),
    tokenizerConfig: (await readJson(join(directory, 'tokenizer_config.json'))) ?? {},
    generationConfig: (await readJson(join(directory, 'generation_config.json'))) ?? {},
    chatTemplate: await readOptional(join(directory, 'chat_template.jinja')),
  });
  return { config, text };
}

async function weightFiles(directory: string): Promise<readonly string[]> {
  const index = await readJson(join(directory, WEIGHTS_INDEX));
  if (index === null) return [join(directory, WEIGHTS)];
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) throw new Error(`${join(directory, WEIGHTS_INDEX)} is not a valid index`);
  // basename: an index must not point out of its folder.
  const names = new Set(Object.values(parsed.data.weight_map).map((name) => basename(name)));
  return [...names].map((name) => join(directory, name));
}

async function readJson(path: string): Promise<Json | null> {
  const text = await readOptional(path);
  if (text === null) return null;
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} is not a valid JSON object`, { cause });
  }
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
