/** A server whose model is missing: the page says so in plain words, keeps what was typed, and offers to try again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { hasBrowser, openBrowser, seriousViolations, visit } from './browser.ts';

describe.runIf(hasBrowser())('the chat page, without a model', () => {
  let browser: Browser;
  let server: TestServer;
  let modelsDirectory: string;

  beforeAll(async () => {
    browser = await openBrowser();
    modelsDirectory = await mkdtemp(join(tmpdir(), 'amity-e2e-'));
    server = await startTestServer({ modelsDirectory });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    await rm(modelsDirectory, { recursive: true, force: true });
  });

  test('says that the companion is still waking up and tries again when asked', async () => {
    await using visitor = await visit(browser, server.url);
    const { page } = visitor;
    await visitor.send('Are you there?');
    const trouble = page.locator('.trouble', { hasText: 'Not sent. Amity is still waking up' });
    await trouble.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await trouble.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.trouble', { hasText: 'waking up' }).waitFor();
    expect(await visitor.mine.allTextContents()).toEqual(['Are you there?']);
    expect(await visitor.replies.count()).toBe(0);
  });
});
