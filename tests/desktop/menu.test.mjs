// The menu bar that `--menu-bar` shows: what the page offers stands in it, what is chosen there the page does, and its last
// item ends the app as its window's button does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const rig = new Rig();
after(() => rig.end());

/** In the first menu of the bar. */
const FIRST_MENU = [24, 12];
let window;

before(async () => {
  window = await rig.open('menus', { args: ['--menu-bar'] });
  await window.page.type(one('name-input'), 'Quiet Otter');
  await window.page.click(one('first-run-start'));
  await window.page.see(one('home'));
});

test('the bar takes its place from the page', async () => {
  const [inside, outside] = await until(
    'a bar above the page',
    () => window.page.js('return [innerHeight, outerHeight]'),
    10_000,
    ([inside, outside]) => outside - inside > 16 && outside - inside < 60,
  );
  assert.ok(inside > 600, `${inside} of ${outside} points are left`);
  await window.screen.shoot('menu-bar', [1180, 780]);
});

test('what is chosen in it is done by the page', async () => {
  const { x11 } = window.screen;
  await until('the palette', async () => {
    await x11.press('Escape');
    await x11.click(...FIRST_MENU);
    // The first item is the palette, and one press selects it.
    await x11.press('Down');
    await x11.press('Return');
    // Asked for again too soon, Escape would close what is on its way.
    return until('it to open', async () => (await window.page.texts(one('palette'))).length === 1, 2_000);
  }, 20_000);
});

test('its last item ends the app well', async () => {
  const { x11 } = window.screen;
  await until('the end', async () => {
    await x11.press('Escape');
    await x11.click(...FIRST_MENU);
    await x11.press('Up');
    await x11.press('Return');
    await window.ended(2_000);
    return true;
  }, 20_000);
});
