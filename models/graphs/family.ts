import { z } from 'zod';
import type { TensorSource } from '../checkpoints/checkpoint.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { WeightFormat } from '../weights/weight-format.ts';
import type { DecoderLayout, DecoderShape } from './decoder-layout.ts';

/** One kind of network: knows its configuration, the names of its tensors and how its layers are wired. */
export interface ModelFamily {
  readonly name: string;
  /** `model_type` in config.json. */
  readonly modelTypes: readonly string[];
  /**
   * @throws Error with one clear sentence when the configuration asks for something that is not built.
   */
  plan(config: Readonly<Record<string, unknown>>, limits: { contextTokensMax: number }): PlannedModel;
}

export interface PlannedModel {
  readonly shape: DecoderShape;
  build(parts: BuildParts): void;
}

/** What a family puts its layers together from. */
export interface BuildParts {
  readonly graph: GraphBuilder;
  readonly layout: DecoderLayout;
  readonly weights: WeightFormat;
  readonly tensors: TensorSource;
  readonly fullLogits: boolean;
}

/** @throws Error that names what is wrong in a configuration. */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  raw: Readonly<Record<string, unknown>>,
): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new Error(`config.json: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
