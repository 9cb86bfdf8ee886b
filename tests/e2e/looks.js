/** Everything that a page must be, looked at by axe and by the scripts of `looks/`. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { axe, serious } from './accessible.js';
import { picture } from './browser.js';
import { inColours } from './modes.js';
import { until } from './until.js';

const here = (name) => readFile(new URL(`./looks/${name}.js`, import.meta.url), 'utf8');

/** What looks at a page, to be there before the page is. */
export const TOOLS = [...(await Promise.all(['motion', 'layout', 'colours'].map(here))), axe];

/** The system's own colours are drawn and not told to the tool; what is written in them the system sees to. */
const rulesIn = (colour) => ({ 'color-contrast': { enabled: colour !== 'forced' } });

/** The page stands still: what was opened is where it stays. */
const stands = (page) =>
  until('the page stands still', () => page.evaluate(() => document.getAnimations().every(({ playState }) => playState !== 'running')));

/**
 * All troubles of one page, in each of the colours of a walk. `fleeting` is what ends when the keyboard goes elsewhere,
 * so nobody goes through it with that.
 */
export async function look({ page }, { name, colours, axe: inAxe }, screen, { fleeting = false } = {}) {
  const troubles = [];
  const walk = name.replace(/\W+/g, '-');
  await stands(page);
  for (const colour of colours) {
    await inColours(page, colour);
    // What the keyboard is at shows to those who used it last.
    await page.keyboard.press('F9');
    const told = await page.evaluate(([laidOut, forced, focus]) => {
      const { looks } = globalThis;
      return [...(laidOut ? looks.layout() : []), ...(forced ? looks.forced() : []), ...(focus ? looks.focus() : [])];
    }, [colour !== 'dark', colour === 'forced', !fleeting]);
    if (inAxe.includes(colour)) told.push(...(await serious(page, rulesIn(colour))).map((what) => `axe, ${what}`));
    if (told.length > 0 || process.env.PARLOR_PICTURES_ALL) await picture(page, `page-${screen}-${walk}-${colour}`);
    troubles.push(...told.map((trouble) => `${colour}: ${trouble}`));
  }
  if (colours.length > 1) await inColours(page, colours[0]);
  troubles.push(...(await page.evaluate(() => globalThis.looks.moved.splice(0))).map((what) => `less motion: ${what}`));
  assert.ok(troubles.length === 0, troubles.join('\n'));
}
