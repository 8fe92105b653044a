/** A real Chromium on the built page, and the words in which the tests speak of it. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { build } from 'vite';
import { requireOrSkip } from '../support/require-or-skip.ts';

const executablePath = process.env['AMITY_CHROMIUM'] ?? '/usr/bin/chromium';
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const hasBrowser = () =>
  requireOrSkip(
    'chromium',
    existsSync(executablePath),
    'Install it (Debian: apt-get install chromium) or name it in AMITY_CHROMIUM.',
  );

/** Builds the page as it is shipped, then opens the browser: the server looks for the page when it starts. */
export async function openBrowser(): Promise<Browser> {
  await build({ root: 'web', logLevel: 'warn' });
  return chromium.launch({ executablePath, args: flags });
}

/** One person at the page. */
export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  readonly field: Locator;
  /** All bubbles of one side. */
  readonly mine: Locator;
  readonly replies: Locator;
  readonly stop: Locator;
  readonly notice: Locator;
  send(text: string): Promise<void>;
  /** Waits until no reply runs and the newest one is the `count`-th. */
  replied(count: number): Promise<void>;
  setOffline(isOffline: boolean): Promise<void>;
  reload(): Promise<void>;
}

/** Errors of the page that a test provokes itself: a socket that the cut network refuses. */
const expected = /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED/;

/** @returns a visitor with a storage of its own; closing it fails the test when the page reported an error. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) errors.push(message.text());
  });
  const arrived = () =>
    page
      .getByRole('status')
      .filter({ hasText: /^online$/ })
      .waitFor();
  // Socket.IO's client ignores the browser's offline event on "localhost": such a server is still there.
  await page.goto(url.replace('localhost', '127.0.0.1'));
  await arrived();
  const field = page.getByRole('textbox', { name: 'Message to Amity' });
  const replies = page.locator('.message.is-companion:not(.thinking) .text');
  return {
    page,
    field,
    mine: page.locator('.message.is-user .text'),
    replies,
    stop: page.getByRole('button', { name: 'Stop the reply' }),
    notice: page.locator('.notice'),
    async send(text) {
      await field.fill(text);
      await field.press('Enter');
    },
    async replied(count) {
      await replies.nth(count - 1).waitFor();
      await page.locator('.message:is(.thinking, .is-live)').waitFor({ state: 'detached' });
    },
    setOffline: (isOffline) => context.setOffline(isOffline),
    async reload() {
      await page.reload();
      await arrived();
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      if (errors.length > 0) throw new Error(`The page reported: ${errors.join('\n')}`);
    },
  };
}

/** @returns the accessibility rules of WCAG 2.2 A and AA that the page breaks seriously, with where. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
