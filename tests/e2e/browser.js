/** Chromium, and pages that remember whatever went wrong in them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

/** Where pictures go that somebody may look at. */
export const pictures = process.env.PARLOR_PICTURES ?? fileURLToPath(new URL('../../target/pictures', import.meta.url));

export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
      ...more,
    ],
  });
}

/**
 * A page of its own profile. `page.troubles` collects console errors and warnings, exceptions, failed requests and
 * breaches of the content security policy.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.troubles = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.troubles.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.troubles.push(`exception: ${error.stack ?? error}`));
  page.on('requestfailed', (request) => {
    // The browser itself gives up the streams of a page that closes.
    if (!page.isClosed()) page.troubles.push(`request: ${request.url()} ${request.failure()?.errorText}`);
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return page;
}

/** Keeps a picture of what a page shows. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `e2e-${name}.png`) });
}
