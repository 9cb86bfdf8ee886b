/** axe finds nothing serious on what a page shows, in light and in dark. A picture of each is kept. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { picture } from './browser.js';

/** The tool, as a script to run in the page. */
export const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the tool finds in a page that has it, and what is wrong there, of what keeps somebody out. */
export async function serious(page, rules = {}) {
  const { violations } = await page.evaluate((rules) => globalThis.axe.run(document, { resultTypes: ['violations'], rules }), rules);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}

/** The person's page must have been opened with `bypassCSP`: the tool is no part of it, and its policy keeps it out. */
export async function isAccessible({ page }, screen) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `axe-${screen}-${colorScheme}`);
    await page.evaluate(axe);
    assert.deepEqual(await serious(page), [], `${screen}, ${colorScheme}`);
  }
}
