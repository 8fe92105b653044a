/** Replies that take a while: stop, drops of the network, and a reader who scrolled away. The tiny model never ends by itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { hasBrowser, openBrowser, type Visitor, visit } from './browser.ts';

const replyTokensMax = 1500;
const fullReply = 'abcdefghijklmnopqrstuvwxyz '
  .repeat(replyTokensMax / 27 + 1)
  .slice(0, replyTokensMax)
  .trimEnd();

/** Waits until the newest reply has at least `length` characters. */
async function grown({ page }: Visitor, length: number): Promise<void> {
  await page
    .locator('.is-live .text')
    .filter({ hasText: new RegExp(`[a-z ]{${length},}`) })
    .waitFor();
}

describe.runIf(hasBrowser())('the chat page, while a long reply runs', () => {
  let browser: Browser;
  let server: TestServer;
  let modelsDirectory: string;

  beforeAll(async () => {
    browser = await openBrowser();
    modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-e2e-'));
    await makeTinyModel(join(modelsDirectory, 'tiny-counting'), { kind: 'counting', endless: true });
    server = await startTestServer({
      modelsDirectory,
      env: { AMITY_REPLY_TOKENS_MAX: String(replyTokensMax) },
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    await rm(modelsDirectory, { recursive: true, force: true });
  });

  test('shows the text as it comes', async () => {
    await using visitor = await visit(browser, server.url);
    await visitor.send('go');
    await grown(visitor, 5);
    const early = (await visitor.replies.textContent()) ?? '';
    expect(fullReply.startsWith(early)).toBe(true);
    expect(early.length).toBeLessThan(fullReply.length);
    await visitor.replied(1);
    expect(await visitor.replies.textContent()).toBe(fullReply);
  });

  test.each(['button', 'Escape'])('stops with the %s and keeps the text so far', async (way) => {
    await using visitor = await visit(browser, server.url);
    await visitor.send('go');
    await grown(visitor, 5);
    if (way === 'button') await visitor.stop.click();
    else await visitor.page.keyboard.press('Escape');
    await visitor.page.getByText('Stopped', { exact: true }).waitFor();
    await visitor.replied(1);
    const kept = (await visitor.replies.textContent()) ?? '';
    expect(kept.length).toBeLessThan(fullReply.length);
    expect(fullReply.startsWith(kept)).toBe(true);
    expect(await visitor.stop.count()).toBe(0);
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.textContent()).toBe(kept);
  });

  test('loses and doubles nothing when the network drops in the middle of a reply', async () => {
    await using visitor = await visit(browser, server.url);
    await visitor.send('before');
    await grown(visitor, 5);
    await visitor.setOffline(true);
    await visitor.notice.getByText('You are offline').waitFor();
    await visitor.send('while offline');
    await visitor.page.getByText('Waiting for the connection').waitFor();
    await visitor.setOffline(false);
    await visitor.notice.waitFor({ state: 'detached' });
    await visitor.replied(2);
    const mine = await visitor.mine.allTextContents();
    const replies = await visitor.replies.allTextContents();
    expect(mine).toEqual(['before', 'while offline']);
    expect(replies).toEqual([fullReply, fullReply]);
    await visitor.reload();
    await visitor.replied(2);
    expect(await visitor.mine.allTextContents()).toEqual(mine);
    expect(await visitor.replies.allTextContents()).toEqual(replies);
  });

  test('goes on after a reload in the middle of a reply', async () => {
    await using visitor = await visit(browser, server.url);
    await visitor.send('go');
    await grown(visitor, 5);
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.allTextContents()).toEqual([fullReply]);
  });

  test('leaves a reader who scrolled up where they are, and says that there is something new', async () => {
    await using visitor = await visit(browser, server.url, { viewport: { width: 480, height: 480 } });
    const { page } = visitor;
    const scroller = page.getByRole('region', { name: 'Conversation' });
    const top = () => scroller.evaluate((element) => element.scrollTop);
    const belowView = () =>
      scroller.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
    await visitor.send('first');
    await visitor.replied(1);
    expect(await belowView()).toBeLessThan(2);
    await visitor.send('second');
    await grown(visitor, 5);
    // Waits for the end of the second, so that text goes on coming.
    await visitor.send('third');
    await scroller.hover();
    await page.mouse.wheel(0, -300);
    await page.getByRole('button', { name: /latest message|New messages/ }).waitFor();
    const before = await top();
    await page.getByRole('button', { name: 'New messages' }).waitFor();
    await visitor.replied(3);
    expect(await top()).toBe(before);
    await page.getByRole('button', { name: 'New messages' }).click();
    expect(await belowView()).toBeLessThan(2);
    expect(await page.locator('.pill').count()).toBe(0);
  });
});
