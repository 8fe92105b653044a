/** Talking, with the tiny model that answers everything with the alphabet. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { hasBrowser, openBrowser, seriousViolations, visit } from './browser.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

describe.runIf(hasBrowser())('the chat page', () => {
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

  test('greets a new visitor, says that it is an AI, and a suggestion starts the talk', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    expect(await page.title()).toContain('Amity');
    await page.getByText('I’m an AI companion').waitFor();
    await page.getByRole('button', { name: 'Help me plan a quiet weekend.' }).click();
    await visitor.replied(1);
    expect(await visitor.mine.allTextContents()).toEqual(['Help me plan a quiet weekend.']);
    expect(await visitor.replies.allTextContents()).toEqual([alphabet]);
  });

  test('keeps messages, replies and reactions over a reload', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    await visitor.send('second\nline');
    await visitor.replied(2);
    const love = page.getByRole('toolbar').last().getByRole('button', { name: 'Love it' });
    await love.click();
    await page.locator('.is-last .reaction[aria-pressed="true"]').waitFor();
    await visitor.reload();
    await visitor.replied(2);
    expect(await visitor.mine.allTextContents()).toEqual(['first', 'second\nline']);
    expect(await love.getAttribute('aria-pressed')).toBe('true');
    await love.click();
    await visitor.reload();
    await visitor.replied(2);
    expect(await love.getAttribute('aria-pressed')).toBe('false');
  });

  test('shows what the user typed as text, whatever it looks like', async () => {
    await using visitor = await visit(browser, server.url);
    const text = '<b>hi</b><script>document.title = "owned"</script> <img src=x onerror=alert(1)>';
    await visitor.send(text);
    await visitor.replied(1);
    expect(await visitor.mine.textContent()).toBe(text);
    expect(await visitor.page.locator('.message b, .message script, .message img').count()).toBe(0);
    expect(await visitor.page.title()).toContain('Amity');
  });

  test('can be used with the keyboard alone', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    const { keyboard } = page;
    const focused = page.locator(':focus');
    expect(await focused.getAttribute('aria-label')).toBe('Message to Amity');
    await keyboard.type('one');
    await keyboard.press('Shift+Enter');
    await keyboard.type('two');
    await keyboard.press('Enter');
    await visitor.replied(1);
    expect(await visitor.mine.allTextContents()).toEqual(['one\ntwo']);
    await keyboard.press('Shift+Tab');
    expect(await focused.getAttribute('aria-label')).toBe('New answer');
    await keyboard.press('Shift+Tab');
    expect(await focused.getAttribute('aria-label')).toBe('Good reply');
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await page.locator('.reaction.is-funny[aria-pressed="true"]').waitFor();
    expect(await focused.getAttribute('aria-label')).toBe('Funny');
  });

  test('tells a listener the whole reply once', async () => {
    await using visitor = await visit(browser, server.url);
    await visitor.send('hello');
    await visitor.replied(1);
    await visitor.page
      .locator('[aria-live="polite"]', { hasText: `Amity: ${alphabet}` })
      .waitFor({ state: 'attached' });
  });

  test('counts bytes near the limit and does not send beyond it', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    const send = page.getByRole('button', { name: 'Send', exact: true });
    expect(await send.isDisabled()).toBe(true);
    // Three bytes each: 7,998 and 8,001 bytes.
    await visitor.field.fill('€'.repeat(2666));
    await page.getByText('7,998 of 8,000 bytes').waitFor();
    expect(await send.isDisabled()).toBe(false);
    await visitor.field.fill('€'.repeat(2667));
    await page.getByText('Too long: 8,001 of 8,000 bytes').waitFor();
    expect(await send.isDisabled()).toBe(true);
    await visitor.field.press('Enter');
    expect(await visitor.mine.count()).toBe(0);
  });

  test.each(['light', 'dark'] as const)(
    'has no serious accessibility violation in %s mode',
    async (colorScheme) => {
      await using visitor = await visit(browser, server.url, { colorScheme, reducedMotion: 'reduce' });
      expect(await seriousViolations(visitor.page)).toEqual([]);
      await visitor.send('hello');
      await visitor.replied(1);
      await visitor.page.getByRole('button', { name: 'Good reply' }).click();
      await visitor.send('again');
      await visitor.replied(2);
      expect(await seriousViolations(visitor.page)).toEqual([]);
    },
  );

  test('fits a phone of 320 pixels without scrolling sideways', async () => {
    await using visitor = await visit(browser, server.url, {
      viewport: { width: 320, height: 568 },
      hasTouch: true,
      isMobile: true,
    });
    const width = () => visitor.page.evaluate('document.documentElement.scrollWidth');
    expect(await width()).toBe(320);
    await visitor.send(`${'unbroken'.repeat(30)} and more`);
    await visitor.replied(1);
    expect(await width()).toBe(320);
    const scroller = visitor.page.getByRole('region', { name: 'Conversation' });
    expect(await scroller.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  });
});
