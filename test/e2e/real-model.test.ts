/**
 * A conversation with the default model, as a person has it. It also makes the picture of the README: docs/chat.png is
 * written when it is missing or AMITY_SCREENSHOT=1 asks for it, so that a test run leaves the tree as it was.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { hasBrowser, openBrowser, type Visitor, visit } from './browser.ts';

const model = 'smollm2-135m-instruct';
const modelsDirectory = fileURLToPath(new URL('../../data/models', import.meta.url));
const picture = fileURLToPath(new URL('../../docs/chat.png', import.meta.url));
const isPictureWanted = process.env['AMITY_SCREENSHOT'] === '1' || !existsSync(picture);
const prompts = ['Can you suggest three quiet things to do this weekend?', 'What makes a good friend?'];

const hasModel = () =>
  requireOrSkip(
    'the default model',
    existsSync(`${modelsDirectory}/${model}/manifest.json`),
    `Get it with: npx amity model pull ${model}`,
  );

/** The two views in their frames, on one sheet. Fonts of the machine that runs the test. */
async function composePicture(browser: Browser, views: { desktop: Buffer; phone: Buffer }): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1160, height: 700 }, deviceScaleFactor: 2 });
  const url = (image: Buffer) => `data:image/png;base64,${image.toString('base64')}`;
  await page.setContent(`<!doctype html><style>
    body { margin: 0; height: 700px; position: relative; overflow: hidden; background: #dfece4; }
    img { position: absolute; display: block; }
    .desktop { left: 40px; top: 40px; width: 800px; border-radius: 16px;
      box-shadow: 0 0 0 1px rgb(22 36 31 / 8%), 0 24px 60px rgb(22 36 31 / 18%); }
    .phone { right: 40px; bottom: 40px; width: 272px; border: 8px solid #0a100e; border-radius: 38px;
      box-shadow: 0 0 0 1px #33443d, 0 28px 70px rgb(10 16 14 / 42%); }
  </style><img class="desktop" src="${url(views.desktop)}"><img class="phone" src="${url(views.phone)}">`);
  await page.screenshot({ path: picture });
  await page.close();
}

/** Without the pointer, so that nothing looks hovered. */
async function shoot(page: Page): Promise<Buffer> {
  await page.mouse.move(0, 0);
  return page.screenshot({ animations: 'disabled' });
}

describe.runIf([hasBrowser(), hasModel()].every(Boolean))('the chat page, with the default model', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    browser = await openBrowser();
    server = await startTestServer({
      modelsDirectory,
      env: { MODEL: model, AMITY_THREADS: '0', AMITY_TEMPERATURE: '0' },
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  async function talk(visitor: Visitor): Promise<void> {
    for (const [index, prompt] of prompts.entries()) {
      await visitor.send(prompt);
      await visitor.replied(index + 1);
    }
  }

  test('answers live, in words', async () => {
    const options = { deviceScaleFactor: 2, reducedMotion: 'reduce' } as const;
    await using visitor = await visit(browser, server.url, {
      ...options,
      viewport: { width: 800, height: 600 },
    });
    const { page } = visitor;
    await talk(visitor);
    for (const reply of await visitor.replies.allTextContents()) expect(reply).toMatch(/\w+ \w+ \w+/);
    if (!isPictureWanted) return;
    await page.getByRole('button', { name: 'Love it' }).last().click();
    await page.locator('.is-last .is-love[aria-pressed="true"]').waitFor();
    const desktop = await shoot(page);
    await using phone = await visit(browser, server.url, {
      ...options,
      viewport: { width: 360, height: 770 },
      colorScheme: 'dark',
      hasTouch: true,
      isMobile: true,
      storageState: await page.context().storageState(),
    });
    await phone.replied(prompts.length);
    await composePicture(browser, { desktop, phone: await shoot(phone.page) });
  });
});
