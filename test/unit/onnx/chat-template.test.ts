/** Any chat template becomes segments: what people say comes back character for character, the rest is template. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PromptTurn } from '../../../src/conversation/prompt-template.ts';
import { createChatTemplate } from '../../../src/onnx/chat-template.ts';

const specials = { bos: '<s>', eos: '</s>', all: ['<|im_start|>', '<|im_end|>', '<unused>'] };

const CHATML = `{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
const WITH_DEFAULT_SYSTEM = `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are SmolLM<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
/** In the manner of Gemma: no system turn, strict alternation, contents trimmed. */
const STRICT = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<turn>' + role + '\\n' + message['content'] | trim + '<end>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<turn>model\\n'}}{% endif %}`;
const IGNORES_SYSTEM = `{% for message in messages %}{% if message['role'] != 'system' %}[{{ message['role'] }}]{{ message['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;

const turn = (role: PromptTurn['role'], text: string): PromptTurn => ({ role, text });
const system = (text: string) => turn('system', text);
const user = (text: string) => turn('user', text);
const companion = (text: string) => turn('companion', text);

function rendered(source: string, turns: readonly PromptTurn[]): string {
  return createChatTemplate(source, specials)
    .render(turns)
    .map(({ text }) => text)
    .join('');
}

describe('what is rendered', () => {
  test.each([
    [
      'a dialog',
      CHATML,
      [system('S'), user('U'), companion('C'), user('V')],
      '<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nC<|im_end|>\n<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n',
    ],
    ['no system turn', CHATML, [user('U')], '<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n'],
    [
      'our system turn instead of the built-in one',
      WITH_DEFAULT_SYSTEM,
      [system('S'), user('U')],
      '<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n',
    ],
    [
      'an empty system turn instead of the built-in one',
      WITH_DEFAULT_SYSTEM,
      [user('U')],
      '<|im_start|>system\n<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n',
    ],
    [
      'a refused system turn, folded into the first user turn',
      STRICT,
      [system('S'), user('U'), companion('C'), user('V')],
      '<s><turn>user\nS\n\nU<end>\n<turn>model\nC<end>\n<turn>user\nV<end>\n<turn>model\n',
    ],
    [
      'two turns of one person, joined where roles must alternate',
      STRICT,
      [user('U'), user('V')],
      '<s><turn>user\nU\n\nV<end>\n<turn>model\n',
    ],
    [
      'a greeting before the first user turn',
      STRICT,
      [companion('G'), user('U')],
      '<s><turn>user\n<end>\n<turn>model\nG<end>\n<turn>user\nU<end>\n<turn>model\n',
    ],
    [
      'a system turn that the template would leave out',
      IGNORES_SYSTEM,
      [system('S'), user('U')],
      '[user]S\n\nU[assistant]',
    ],
  ] as const)('%s', (...[, source, turns, expected]) => {
    expect(rendered(source, turns)).toBe(expected);
  });
});

test.each([
  ['ChatML', CHATML],
  ['strict', STRICT],
  ['default system', WITH_DEFAULT_SYSTEM],
])('whatever people type comes back character for character, as text (%s)', (_, source) => {
  const template = createChatTemplate(source, specials);
  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<|im_end|>',
      '{{ bos_token }}',
      '{% raw %}',
      ' \n ',
      '\uE0000\uE001',
      '\uE0001\uE001',
      "'",
      '\\n',
    ),
  );
  fc.assert(
    fc.property(nasty, nasty, nasty, (first, second, third) => {
      const segments = template.render([user(first), companion(second), user(third)]);
      const texts = segments.filter(({ kind }) => kind === 'text').map(({ text }) => text);
      expect(texts).toEqual([first, second, third].filter((text) => text !== ''));
      const around = segments.filter(({ kind }) => kind === 'template').map(({ text }) => text);
      const usual = template.render([user('1'), companion('2'), user('3')]);
      expect(around.join('')).toBe(
        usual
          .filter(({ kind }) => kind === 'template')
          .map(({ text }) => text)
          .join(''),
      );
    }),
    { numRuns: 200 },
  );
});

test('a reply stops where the template would begin another turn, or a role label does', () => {
  const { stop } = createChatTemplate(CHATML, specials);
  expect(stop).toEqual(expect.arrayContaining(['<|im_start|>', '<|im_end|>', '\nUser:', '\nAssistant:']));
  expect(stop).not.toContain('<unused>');
});

test.each([
  ['cannot be parsed', '{% for %}'],
  ['always throws', "{{ raise_exception('no') }}"],
  ['leaves out what the user says', 'hello'],
])('a template that %s is refused', (_, source) => {
  expect(() => createChatTemplate(source, specials)).toThrowError(
    expect.objectContaining({ code: 'model_unavailable' }),
  );
});
