/** axe finds nothing serious on what a page shows, in light and in dark. A picture of each is kept. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { picture } from './browser.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The person's page must have been opened with `bypassCSP`: the tool is no part of it, and its policy keeps it out. */
export async function isAccessible({ page }, screen) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `axe-${screen}-${colorScheme}`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const said = serious.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
    assert.deepEqual(said, [], `${screen}, ${colorScheme}`);
  }
}
