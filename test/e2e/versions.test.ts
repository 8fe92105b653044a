/** Other answers by arrows, keys and swipe, a new answer, an edit, and the branches between which they switch. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { WireClient } from '../support/wire-client.ts';
import { hasBrowser, openBrowser, seriousViolations, type Visitor, visit } from './browser.ts';

const phone = { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };

async function tokenOf(page: Page): Promise<string> {
  const guest = (await page.evaluate('JSON.parse(localStorage.getItem("amity.guest"))')) as { token: string };
  return guest.token;
}

/** A finger that goes sideways over the newest answer. */
async function swipe(page: Page, by: number): Promise<void> {
  const box = await page.locator('.message.is-companion.is-last .bubble').boundingBox();
  if (box === null) throw new Error('no answer to swipe');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const cdp = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: { x: number; y: number }[]) =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  await touch('touchStart', [{ x, y }]);
  for (const part of [0.3, 0.6, 1]) await touch('touchMove', [{ x: x + by * part, y }]);
  await touch('touchEnd', []);
  await cdp.detach();
}

describe.runIf(hasBrowser())('the chat page, with several answers', () => {
  let browser: Browser;
  let server: TestServer;
  let modelsDirectory: string;

  beforeAll(async () => {
    browser = await openBrowser();
    modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-e2e-'));
    // Noise, so that candidates differ.
    await makeTinyModel(join(modelsDirectory, 'tiny-random'), { kind: 'random' });
    server = await startTestServer({
      modelsDirectory,
      env: { MODEL: 'tiny-random', AMITY_REPLY_TOKENS_MAX: '24' },
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    await rm(modelsDirectory, { recursive: true, force: true });
  });

  const placeOf = (page: Page) => page.locator('.is-companion.is-last .place [aria-hidden]');
  const newAnswer = (page: Page) => page.getByRole('button', { name: 'New answer' });
  const answers = (page: Page) => page.getByRole('group', { name: 'Answers' });

  /** Talks until a reply has an alternative. @returns the texts of its answers, the shown one first. */
  async function talkToAlternatives(visitor: Visitor): Promise<string[]> {
    await visitor.send('hello');
    await visitor.replied(1);
    await using device = await WireClient.open(server.url, await tokenOf(visitor.page));
    for (let count = 1; count <= 10; count += 1) {
      const { messages } = await device.call('conversation:open', {});
      const { messageId } = messages.at(-1)!;
      const { alternatives } = await device.call('reply:alternatives', { messageId });
      if (alternatives.length > 1) {
        await placeOf(visitor.page).waitFor();
        return [...alternatives].sort((a, b) => Number(b.shown) - Number(a.shown)).map(({ text }) => text);
      }
      await visitor.send(`and ${count}`);
      await visitor.replied(count + 1);
    }
    throw new Error('ten replies without an alternative');
  }

  const shows = (visitor: Visitor, place: string) =>
    placeOf(visitor.page)
      .filter({ hasText: new RegExp(`^${place}$`) })
      .waitFor();

  test('arrows show the other answers, and a reload keeps the chosen one', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    const texts = await talkToAlternatives(visitor);
    const total = texts.length;
    expect(await visitor.replies.last().textContent()).toBe(texts[0]);
    await shows(visitor, `1/${total}`);
    expect(await seriousViolations(page)).toEqual([]);
    const next = answers(page).getByRole('button', { name: 'Next' });
    const before = await next.boundingBox();
    await next.click();
    await shows(visitor, `2/${total}`);
    expect(await visitor.replies.last().textContent()).toBe(texts[1]);
    // The arrow stays under the pointer, whatever the length of the answer.
    expect((await next.boundingBox())?.y).toBeCloseTo(before?.y ?? 0, 0);
    await page
      .locator('[aria-live="polite"]', { hasText: `2 of ${total}. Amity:` })
      .waitFor({ state: 'attached' });
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.last().textContent()).toBe(texts[1]);
  });

  test('arrow keys step through the answers of the reply that has the focus', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    const texts = await talkToAlternatives(visitor);
    await page.locator('.is-companion.is-last .bubble').focus();
    await page.keyboard.press('ArrowRight');
    await shows(visitor, `2/${texts.length}`);
    expect(await visitor.replies.last().textContent()).toBe(texts[1]);
    await page.keyboard.press('ArrowLeft');
    await shows(visitor, `1/${texts.length}`);
    await page.keyboard.press('ArrowLeft');
    expect(await visitor.replies.last().textContent()).toBe(texts[0]);
    expect(await page.locator(':focus').getAttribute('aria-label')).toMatch(/arrow keys/);
  });

  test('a swipe to the left shows the next answer, and beyond the last one asks for a new one', async () => {
    await using visitor = await visit(browser, server.url, phone);
    const { page } = visitor;
    const texts = await talkToAlternatives(visitor);
    const count = await visitor.replies.count();
    for (const [index, text] of texts.entries()) {
      if (index > 0) await swipe(page, -120);
      await shows(visitor, `${index + 1}/${texts.length}`);
      expect(await visitor.replies.last().textContent()).toBe(text);
    }
    await swipe(page, 120);
    await shows(visitor, `${texts.length - 1}/${texts.length}`);
    await swipe(page, -120);
    await shows(visitor, `${texts.length}/${texts.length}`);
    await swipe(page, -20);
    await swipe(page, -120);
    await placeOf(page)
      .filter({ hasText: new RegExp(`^${texts.length + 1}/`) })
      .waitFor();
    expect(await visitor.replies.count()).toBe(count);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    expect(await seriousViolations(page)).toEqual([]);
  });

  test('a new answer shows dots, then stands beside the old one, which comes back by the arrow', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('hello');
    await visitor.replied(1);
    const first = (await visitor.replies.last().textContent()) ?? '';
    const dots = page.evaluate(`new Promise((resolve) => {
      const check = () => document.querySelector('.thinking') !== null && resolve(true);
      new MutationObserver(check).observe(document.body, { subtree: true, childList: true });
    })`);
    await newAnswer(page).click();
    expect(await dots).toBe(true);
    const place = (pattern: RegExp) => placeOf(page).filter({ hasText: pattern }).waitFor();
    await place(/^[2-9]\//);
    await visitor.replied(1);
    expect(await visitor.replies.count()).toBe(1);
    await answers(page).getByRole('button', { name: 'Previous' }).click();
    await place(/^1\//);
    expect(await visitor.replies.last().textContent()).toBe(first);
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.last().textContent()).toBe(first);
    expect(await visitor.mine.allTextContents()).toEqual(['hello']);
  });

  test('an edit opens a branch of its own, and the arrows at the message lead back', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    await visitor.send('second');
    await visitor.replied(2);
    const before = await visitor.replies.allTextContents();
    await visitor.field.fill('a draft');
    await visitor.mine.first().hover();
    await page.getByRole('button', { name: 'Edit your message' }).first().click();
    const editor = page.getByRole('textbox', { name: 'Edit your message' });
    expect(await editor.inputValue()).toBe('first');
    expect(await seriousViolations(page)).toEqual([]);
    await editor.fill('first, better');
    await editor.press('Shift+Enter');
    await page.keyboard.type('and longer');
    await editor.press('Enter');
    await visitor.replied(1);
    expect(await visitor.mine.allTextContents()).toEqual(['first, better\nand longer']);
    expect(await visitor.field.inputValue()).toBe('a draft');
    const versions = page.getByRole('group', { name: 'Versions of your message' });
    await versions.getByText('2/2').waitFor();
    await versions.getByRole('button', { name: 'Previous' }).click();
    await versions.getByText('1/2').waitFor();
    expect(await visitor.mine.allTextContents()).toEqual(['first', 'second']);
    expect(await visitor.replies.allTextContents()).toEqual(before);
    // The focus stays on the arrows: the keys lead on.
    await page.keyboard.press('ArrowRight');
    await versions.getByText('2/2').waitFor();
    expect(await visitor.mine.allTextContents()).toEqual(['first, better\nand longer']);
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.mine.allTextContents()).toEqual(['first, better\nand longer']);
    expect(await visitor.field.inputValue()).toBe('a draft');
  });

  test('Escape leaves an edit, changes nothing, and the focus goes back to the pencil', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    await page.getByRole('button', { name: 'Edit your message' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('textarea:focus', { hasText: '' }).and(page.getByLabel('Edit your message')).waitFor();
    await page.keyboard.type(' and more');
    await page.keyboard.press('Escape');
    await page.getByRole('textbox', { name: 'Edit your message' }).waitFor({ state: 'detached' });
    expect(await visitor.mine.allTextContents()).toEqual(['first']);
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Edit your message');
  });

  test('another device that switches the branch takes this one along', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    await using device = await WireClient.open(server.url, await tokenOf(page));
    const { messages } = await device.call('conversation:open', {});
    const edited = await device.call('message:edit', {
      clientMessageId: crypto.randomUUID(),
      messageId: messages[0]!.messageId,
      text: 'from the phone',
    });
    await page.getByText('from the phone').waitFor();
    expect(await visitor.mine.allTextContents()).toEqual(['from the phone']);
    await device.end(edited.generationId);
    await device.call('branch:select', { messageId: messages[0]!.messageId });
    await page.locator('.message.is-user').getByText('first').waitFor();
    expect(await visitor.mine.allTextContents()).toEqual(['first']);
  });

  test('has no serious accessibility violation in dark mode, also while a message is edited', async () => {
    await using visitor = await visit(browser, server.url, {
      colorScheme: 'dark',
      reducedMotion: 'reduce',
      ...phone,
    });
    const { page } = visitor;
    await talkToAlternatives(visitor);
    await visitor.mine.last().tap();
    await page.getByRole('button', { name: 'Edit your message' }).last().tap();
    expect(await seriousViolations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });
});
