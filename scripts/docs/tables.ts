/** The generated parts of the documentation, as text. */
import { type SettingName, settings } from '../../src/config/schema.ts';
import type { Setting } from '../../src/config/setting-kinds.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { clientEvents, conversationSchema, messageSchema, serverEvents } from '../../src/protocol/events.ts';
import { limits } from '../../src/protocol/limits.ts';
import { inventory } from '../../src/records/inventory.ts';
import { fieldsOf, shapeOf } from './shapes.ts';

type Row = readonly string[];

const code = (text: string) => `\`${text}\``;
/** A pipe ends a cell even inside of code. */
const inCell = (text: string) => text.replaceAll(/(?<!\\)\|/g, '\\|');

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.map(inCell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const entriesOfSettings = Object.entries(settings) as [SettingName, Setting<unknown>][];

function fallbackText({ fallback }: Setting<unknown>): string | undefined {
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return undefined;
  if (typeof fallback === 'boolean') return fallback ? 'on' : 'off';
  return String(fallback);
}

function fallbackCell(setting: Setting<unknown>): string {
  const text = fallbackText(setting);
  return text === undefined ? (setting.fallbackNote ?? '(none)') : code(text);
}

const settingRow = ([name, setting]: [SettingName, Setting<unknown>]): Row => [
  code(name),
  fallbackCell(setting),
  setting.accepts + (setting.unit === undefined ? '' : ` (${setting.unit})`),
  setting.doc + (setting.secret ? ` May also come from the file that \`${name}_FILE\` names.` : ''),
];

function envLines([name, setting]: [SettingName, Setting<unknown>]): string {
  const unit = setting.unit === undefined ? '' : `, in ${setting.unit}`;
  const note = setting.fallbackNote === undefined ? '' : ` Default: ${setting.fallbackNote}.`;
  const accepts = setting.accepts.replaceAll('\\|', '|');
  return `# ${setting.doc}${note}\n# (${accepts}${unit})\n#${name}=${fallbackText(setting) ?? ''}\n`;
}

/** The whole of .env.example. */
export const envExample = (): string =>
  [
    '# Settings of Amity: copy this file to .env and uncomment what you change. docs/settings.md explains them.\n',
    ...entriesOfSettings.map(envLines),
  ].join('\n');

const namedShape = (name: string, fields: readonly string[]) =>
  `\`\`\`ts\n${name} = {\n${fields.map((one) => `  ${one}`).join('\n')}\n}\n\`\`\``;

const names = (places: Readonly<Record<string, string>>) => Object.keys(places).map(code).join(', ') || '–';

/** What stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. */
export const generatedParts: Readonly<Record<string, () => string>> = {
  inventory: () =>
    table(
      ['What is kept', 'Embedded store', 'MongoDB', 'In an export', 'When somebody is erased'],
      inventory.map(({ what, tables, collections, exported, erased }) => [
        what,
        names(tables),
        names(collections),
        exported,
        erased,
      ]),
    ),
  settings: () => table(['Name', 'Default', 'Accepts', 'Meaning'], entriesOfSettings.map(settingRow)),
  'client events': () =>
    table(
      ['Event', 'Payload', 'Value'],
      Object.entries(clientEvents).map(([name, { payload, reply }]) => [
        code(name),
        code(shapeOf(payload)),
        code(shapeOf(reply)),
      ]),
    ),
  'server events': () =>
    table(
      ['Event', 'Payload'],
      Object.entries(serverEvents).map(([name, payload]) => [code(name), code(shapeOf(payload))]),
    ),
  shapes: () =>
    [
      namedShape('Message', fieldsOf(messageSchema)),
      namedShape('Conversation', fieldsOf(conversationSchema)),
    ].join('\n\n'),
  errors: () =>
    table(
      ['Code', 'Retryable', 'Meaning', 'What a client does'],
      Object.entries(errorCodes).map(([name, { retryable, meaning, clientDoes }]) => [
        code(name),
        retryable ? 'yes' : 'no',
        meaning,
        clientDoes,
      ]),
    ),
  limits: () =>
    table(
      ['Limit', 'Value'],
      Object.entries(limits).map(([name, value]) => [code(name), String(value)]),
    ),
};
