/** Frames that a hostile or broken client could send: valid ones, changed at one of three layers. */
import { type ClientEvent, clientEvents } from '../../src/protocol/events.ts';

export type Uniform = () => number;

const names = Object.keys(clientEvents) as ClientEvent[];
const uuid = '3f0c9a52-8a3e-4a6e-9a50-0d0b9a3a4a11';

/** A payload of each event that would be taken, or looked up at least. */
const valid: Readonly<Record<string, unknown>> = {
  conversationId: 'c_1',
  messageId: 'm_1',
  generationId: 'g_1',
  candidateId: 'k_1',
  clientMessageId: uuid,
  clientRequestId: uuid,
  text: 'Hello',
  query: 'hello',
  title: 'Us',
  token: 'a.b.c',
  kind: 'up',
  rating: 'same',
  typing: true,
  seq: 1,
  offset: 0,
  afterRev: 0,
  beforeSeq: 9,
  limit: 5,
  cursor: 'eyJ9',
  comment: 'c',
  parentId: null,
  personaId: 'amity',
  trainingConsent: true,
  locale: 'en',
  timeZone: 'UTC',
};

const strange: readonly (() => unknown)[] = [
  () => null,
  () => -1,
  () => 1e308,
  () => 2 ** 53,
  () => 0.5,
  () => '',
  () => '\u0000',
  () => '\ud800',
  () => '\u202e\u200b',
  () => 'x'.repeat(9000),
  () => '__proto__',
  () => [],
  () => [[[[[[[[]]]]]]]],
  () => ({}),
  () => ({ $ne: null }),
  () => ({ $where: 'sleep(1000)' }),
  () => ({ toString: 'x', valueOf: 'y' }),
  () => ({ _placeholder: true, num: 0 }),
  () => ({ length: 1e9 }),
  () => JSON.parse('{"__proto__":{"admin":true}}') as unknown,
  () => JSON.parse('{"constructor":{"prototype":{"x":1}}}') as unknown,
  () => JSON.parse('['.repeat(900) + ']'.repeat(900)) as unknown,
  () => true,
  () => "'; DROP TABLE messages; --",
  () => '../../etc/passwd',
];

const socketFrames: readonly ((pick: Picker) => string)[] = [
  () => '40',
  () => '40{"token":{"$ne":null}}',
  () => '40/admin,{"token":"x"}',
  () => '41',
  () => '41/nowhere,',
  () => '42',
  () => '42[]',
  () => '42{}',
  () => '42["message:send"]',
  () => '42["message:send",{},{},{}]',
  () => '42["__proto__",{}]',
  () => '42["connect",{}]',
  () => '42["disconnect","x"]',
  () => '42["error",{}]',
  () => '42[null,{}]',
  () => '42[7,{}]',
  () => '42[{"a":1},{}]',
  () => '42999999999999999999["settings:get",{}]',
  () => '42-1["settings:get",{}]',
  () => '43[]',
  () => '4317["x"]',
  () => '44{"message":"x"}',
  () => '451-["message:send",{"_placeholder":true,"num":0}]',
  () => '450-["message:send",{"_placeholder":true,"num":99}]',
  () => '45999999-["message:send",{}]',
  () => '461-[{"_placeholder":true,"num":-1}]',
  () => '47',
  () => '4',
  () => `42["${'x'.repeat(300)}",{}]`,
  (pick) => `42${'['.repeat(pick(2000))}`,
];

const engineFrames: readonly ((pick: Picker) => string | Buffer)[] = [
  () => '0',
  () => '1',
  () => '2probe',
  () => '3',
  () => '5',
  () => '6',
  () => '9',
  () => '',
  () => 'b',
  () => '\u0000',
  () => Buffer.alloc(0),
  (pick) => Buffer.alloc(pick(5000), pick(256)),
  (pick) => `4${String.fromCharCode(pick(0xd800))}`,
];

type Picker = (below: number) => number;

/** One frame; the seed behind `uniform` decides which. */
export function hostileFrame(uniform: Uniform): string | Buffer {
  const pick: Picker = (below) => Math.floor(uniform() * below);
  const oneOf = <T>(things: readonly T[]): T => things[pick(things.length)] as T;
  const layer = uniform();
  if (layer < 0.1) return oneOf(engineFrames)(pick);
  if (layer < 0.3) return oneOf(socketFrames)(pick);
  const frame = `42${pick(1000)}${JSON.stringify([oneOf(names), strangePayload({ pick, oneOf })])}`;
  return layer < 0.4 ? broken(frame, pick) : frame;
}

function strangePayload(random: { pick: Picker; oneOf: <T>(things: readonly T[]) => T }): unknown {
  const { pick, oneOf } = random;
  if (pick(20) === 0) return oneOf(strange)();
  const fields = Object.keys(valid);
  const payload: Record<string, unknown> = {};
  for (let count = pick(4); count >= 0; count -= 1) {
    const field = oneOf(fields);
    payload[field] = pick(3) === 0 ? oneOf(strange)() : valid[field];
  }
  return payload;
}

/** A character of it is another, is missing, or comes twice. */
function broken(frame: string, pick: Picker): string {
  const at = pick(frame.length);
  const character = String.fromCharCode(32 + pick(95));
  const kept = frame.slice(at + pick(2));
  return frame.slice(0, at) + (pick(2) === 0 ? character : '') + kept;
}
