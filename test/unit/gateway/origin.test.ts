/** Browsers do not apply CORS to WebSockets: this table is what keeps foreign pages out. */
import { describe, expect, it } from 'vitest';
import { isAllowedOrigin } from '../../../src/gateway/origin.ts';

const host = 'chat.example.org';

describe('isAllowedOrigin', () => {
  it.each([
    ['a native app, which sends none', undefined, [], true],
    ['the page served here', 'https://chat.example.org', [], true],
    ['a page on another port of this host', 'https://chat.example.org:8443', [], false],
    ['a foreign page', 'https://evil.example', [], false],
    ['a page that is listed', 'https://app.example', ['https://app.example'], true],
    [
      'a page whose name only begins like a listed one',
      'https://app.example.evil.example',
      ['https://app.example'],
      false,
    ],
    ['any page when all are allowed', 'https://evil.example', ['*'], true],
    ['a sandboxed frame', 'null', [], false],
  ] as const)('%s', (...[, origin, allowed, expected]) => {
    expect(isAllowedOrigin({ host, ...(origin === undefined ? {} : { origin }) }, allowed)).toBe(expected);
  });
});
