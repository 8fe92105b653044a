/** Zod schemas as short text: `{ messageId: id, seq: integer, ... }`. */
import { z } from 'zod';
import { conversationSchema, messageSchema } from '../../src/protocol/events.ts';

/** The part of JSON Schema that the schemas of the wire come out as. */
interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
}

const named = z.registry<{ id: string }>();
named.add(messageSchema, { id: 'Message' });
named.add(conversationSchema, { id: 'Conversation' });

const formats: Readonly<Record<string, string>> = { uuid: 'UUID', 'date-time': 'time' };
const ID_PATTERN = '^[A-Za-z0-9_-]{1,64}$';

/** One line. */
export function shapeOf(schema: z.ZodType): string {
  return render(toJson(schema, named));
}

/** One line a field, for shapes that have a name of their own. */
export function fieldsOf(schema: z.ZodType): readonly string[] {
  // Converted without its own name, or it would refer to itself.
  const { properties = {}, required = [] } = toJson(schema, z.registry<{ id: string }>());
  return Object.entries(properties).map(([name, inner]) => field(name, { inner, required }));
}

function toJson(schema: z.ZodType, metadata: z.core.$ZodRegistry<{ id: string }>): JsonSchema {
  return z.toJSONSchema(schema, { metadata, unrepresentable: 'any' }) as JsonSchema;
}

function render(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.replace(/^.*\//, '');
  if (schema.anyOf !== undefined) return schema.anyOf.map(render).join(' | ');
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.properties !== undefined) return renderObject(schema);
  if (schema.type === 'array') return renderArray(schema.items ?? {});
  if (typeof schema.additionalProperties === 'object') {
    return `{ [name]: ${render(schema.additionalProperties)} }`;
  }
  if (schema.format !== undefined) return formats[schema.format] ?? schema.format;
  if (schema.pattern === ID_PATTERN) return 'id';
  return [schema.type ?? 'any'].flat().join(' | ');
}

function renderArray(items: JsonSchema): string {
  const inner = render(items);
  return inner.includes(' | ') && items.properties === undefined ? `(${inner})[]` : `${inner}[]`;
}

function renderObject({ properties = {}, required = [] }: JsonSchema): string {
  const fields = Object.entries(properties).map(([name, inner]) => field(name, { inner, required }));
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function field(name: string, of: { inner: JsonSchema; required: readonly string[] }): string {
  return `${name}${of.required.includes(name) ? '' : '?'}: ${render(of.inner)}`;
}
