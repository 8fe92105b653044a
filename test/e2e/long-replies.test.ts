/** Replies that take a while: stop, drops of the network, and a reader who scrolled away. The tiny model never ends by itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';
import { WireClient } from '../support/wire-client.ts';
import { hasBrowser, openBrowser, type Visitor, visit } from './browser.ts';

const replyTokensMax = 1500;
/** For what has to happen before the end: no machine writes so much before the page has asked it to stop. */
const endlessTokensMax = 8000;
/** What the tiny model has written after so many tokens, a character each. */
const counted = (tokens: number) =>
  'abcdefghijklmnopqrstuvwxyz '
    .repeat(tokens / 27 + 1)
    .slice(0, tokens)
    .trimEnd();
const fullReply = counted(replyTokensMax);

/**
 * Sends, and waits until the reply has a few characters. The page itself tells, and acts: by the time that a call from here
 * arrives the reply may be over.
 *
 * @param act what happens in the page at that moment
 * @returns the text of the reply then
 */
async function sendAndWatch(visitor: Visitor, text: string, act = ''): Promise<string> {
  const grown = visitor.page.evaluate<string>(`new Promise((resolve) => {
    const check = () => {
      const live = document.querySelector('.is-live .text');
      if (live === null || live.textContent.length < 5) return;
      observer.disconnect();
      resolve(live.textContent);
      ${act}
    };
    const observer = new MutationObserver(check);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  })`);
  await visitor.send(text);
  return grown;
}

describe.runIf(hasBrowser())('the chat page, while a long reply runs', () => {
  let browser: Browser;
  let server: TestServer;
  let endless: TestServer;
  let modelsDirectory: string;

  beforeAll(async () => {
    browser = await openBrowser();
    modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-e2e-'));
    await makeTinyModel(join(modelsDirectory, 'tiny-counting'), { kind: 'counting', endless: true });
    server = await startTestServer({
      modelsDirectory,
      env: { AMITY_REPLY_TOKENS_MAX: String(replyTokensMax) },
    });
    endless = await startTestServer({
      modelsDirectory,
      env: { AMITY_REPLY_TOKENS_MAX: String(endlessTokensMax) },
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    await endless?.[Symbol.asyncDispose]();
    await rm(modelsDirectory, { recursive: true, force: true });
  });

  test('shows the text as it comes', async () => {
    await using visitor = await visit(browser, server.url);
    const early = await sendAndWatch(visitor, 'go');
    expect(fullReply.startsWith(early)).toBe(true);
    expect(early.length).toBeLessThan(fullReply.length);
    await visitor.replied(1);
    expect(await visitor.replies.textContent()).toBe(fullReply);
  });

  test.each([
    ['button', `document.querySelector('[aria-label="Stop the reply"]').click();`],
    [
      'Escape',
      `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));`,
    ],
  ])('stops with the %s and keeps the text so far', async (_way, act) => {
    await using visitor = await visit(browser, endless.url);
    await sendAndWatch(visitor, 'go', act);
    await visitor.page.getByText('Stopped', { exact: true }).waitFor();
    await visitor.replied(1);
    const kept = (await visitor.replies.textContent()) ?? '';
    expect(kept.length).toBeLessThan(endlessTokensMax / 2);
    expect(counted(kept.length)).toBe(kept);
    expect(await visitor.stop.count()).toBe(0);
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.textContent()).toBe(kept);
  });

  test('loses and doubles nothing when the network drops in the middle of a reply', async () => {
    await using visitor = await visit(browser, server.url);
    await sendAndWatch(visitor, 'before');
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
    await sendAndWatch(visitor, 'go');
    await visitor.reload();
    await visitor.replied(1);
    expect(await visitor.replies.allTextContents()).toEqual([fullReply]);
  });

  /** What the two tests below look at. */
  async function openSmall(): Promise<Visitor & { top(): Promise<number>; belowView(): Promise<number> }> {
    const visitor = await visit(browser, server.url, { viewport: { width: 480, height: 480 } });
    const scroller = visitor.page.getByRole('region', { name: 'Conversation' });
    return Object.assign(visitor, {
      top: () => scroller.evaluate((element) => element.scrollTop),
      belowView: () =>
        scroller.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop),
    });
  }

  test('follows the text, and lets go of it when the reader scrolls up in the middle', async () => {
    await using visitor = await openSmall();
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    expect(await visitor.belowView()).toBeLessThan(2);
    await page.mouse.move(240, 200);
    await sendAndWatch(visitor, 'second');
    await page.mouse.wheel(0, -300);
    await page.locator('.pill').waitFor();
    await visitor.replied(2);
    expect(await visitor.belowView()).toBeGreaterThan(200);
  });

  test('leaves a reader of older messages where they are, and says that there is something new', async () => {
    await using visitor = await openSmall();
    const { page } = visitor;
    await visitor.send('first');
    await visitor.replied(1);
    await page.mouse.move(240, 200);
    await page.mouse.wheel(0, -200);
    await page.getByRole('button', { name: 'Go to the latest message' }).waitFor();
    const before = await visitor.top();
    const guest = (await page.evaluate('JSON.parse(localStorage.getItem("amity.guest"))')) as {
      token: string;
    };
    await using otherDevice = await WireClient.open(server.url, guest.token);
    await otherDevice.say('from the other device');
    await page.getByRole('button', { name: 'New messages' }).waitFor();
    await visitor.replied(2);
    expect(await visitor.top()).toBe(before);
    await page.getByRole('button', { name: 'New messages' }).click();
    expect(await visitor.belowView()).toBeLessThan(2);
    await page.locator('.pill').waitFor({ state: 'detached' });
  });
});
