/** A history of more than one page: older pages come when the reader scrolls up, and nothing moves under their eyes. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { hasBrowser, openBrowser, visit } from './browser.ts';

describe.runIf(hasBrowser())('the chat page, with a long history', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    browser = await openBrowser();
    server = await startTestServer();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  /** Sent faster than they can be answered: each message supersedes the one before, whose empty reply is not shown. */
  async function guestWithMessages(count: number): Promise<string> {
    const { token } = await server.guest();
    await using device = await WireClient.open(server.url, token);
    for (let n = 1; n <= count; n += 1) await device.say(`number ${n}`);
    return token;
  }

  test('loads older pages on the way up and keeps the place', async () => {
    const token = await guestWithMessages(70);
    await using visitor = await visit(browser, server.url, {
      viewport: { width: 480, height: 560 },
      storageState: {
        cookies: [],
        origins: [
          {
            origin: server.url.replace('localhost', '127.0.0.1'),
            localStorage: [
              {
                name: 'amity.guest',
                value: JSON.stringify({ token, expiresAt: '2099-01-01T00:00:00.000Z' }),
              },
            ],
          },
        ],
      },
    });
    const { page } = visitor;
    const scroller = page.getByRole('region', { name: 'Conversation' });
    const scrollToTop = () =>
      scroller.evaluate((element) => {
        element.scrollTop = 0;
      });
    await visitor.mine.filter({ hasText: /^number 70$/ }).waitFor();
    const oldest = (await visitor.mine.first().textContent()) ?? '';
    expect(oldest).not.toBe('number 1');
    const marked = visitor.mine.filter({ hasText: new RegExp(`^${oldest}$`) });
    await scrollToTop();
    const number = Number(oldest.split(' ')[1]);
    await visitor.mine.filter({ hasText: new RegExp(`^number ${number - 1}$`) }).waitFor();
    // It stood at the top when the page before it came in, and still does.
    const region = await scroller.boundingBox();
    const bubble = await marked.boundingBox();
    const fromTop = (bubble?.y ?? 0) - (region?.y ?? 0);
    expect(fromTop).toBeGreaterThanOrEqual(0);
    expect(fromTop).toBeLessThan(120);
    await scrollToTop();
    await visitor.mine.filter({ hasText: /^number 1$/ }).waitFor({ state: 'attached' });
    const shown = await visitor.mine.allTextContents();
    expect(shown).toEqual(Array.from({ length: 70 }, (_, index) => `number ${index + 1}`));
  });
});
