// How far it is from a fresh install to a colleague's cursor, in clicks. Whoever has just installed Parlor has a profile with
// nothing in it, and opens the window with one click in the menu of programs or on a link that somebody sent.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const OPEN = 'harbour';
const PRIVATE = 'board-meeting';
/** From the package to a colleague's cursor. */
const CLICKS = 4;

const rig = new Rig();
after(() => rig.end());

/** A window of somebody new, and how often they clicked: the click that opens it is the first. */
async function newcomer(profile, args = []) {
  const window = await rig.open(profile, { args });
  let clicks = 1;
  const click = async (selector) => {
    clicks += 1;
    await window.page.click(selector);
  };
  return { ...window, click, clicks: () => clicks };
}

describe('somebody new', () => {
  let colleague;

  /** Until the newcomer sees the cursor of the colleague, who moves their pointer. */
  async function seesTheCursor({ page }) {
    let step = 0;
    const look = async () => {
      step += 1;
      await colleague.page.move(one('board'), [[20 * (step % 5), 10], [20 * (step % 5) + 10, 30]]);
      return page.texts(one('cursor'));
    };
    await until("the colleague's cursor", look, 15_000, (texts) => texts.some((text) => text.includes('Quiet Otter')));
  }

  before(async () => {
    colleague = await rig.open('colleague', { args: ['--room', OPEN] });
    await colleague.page.type(one('name-input'), 'Quiet Otter');
    await colleague.page.click(one('first-run-start'));
    await colleague.page.see(one('board'));
  });

  it('sees the cursor of a colleague on the same network', async () => {
    const visit = await newcomer('near');
    await visit.page.see(one('first-run'));
    await visit.click(one('first-run-start'));
    await visit.page.see(one('room-card', { room: OPEN }));
    await visit.shoot('first-visit-home');
    await visit.click(one('room-card', { room: OPEN }));
    await visit.page.see(one('board'));
    await seesTheCursor(visit);
    assert.ok(visit.clicks() <= CLICKS, `${visit.clicks()} clicks`);
    visit.close();
  });

  it('is asked about a link before anything is joined, and then sees the cursor', async () => {
    const { page } = colleague;
    await page.click(one('leave-room'));
    await page.click(`${one('start-access')} input[value=private]`);
    await page.type(one('start-room-input'), PRIVATE);
    await page.click(one('start-room'));
    await page.click(one('invite'));
    await page.see(one('invite-ticket'));
    const value = () => page.js('return document.querySelector(arguments[0]).value', one('invite-link'));
    const link = await until('the link', value, 10_000, (link) => link?.startsWith('parlor://join/'));
    await page.press('\uE00C');

    const visit = await newcomer('invited', [link]);
    await visit.page.see(one('first-run'));
    assert.deepEqual(await visit.page.texts(one('board')), [], 'nothing is joined yet');
    await visit.shoot('first-visit-name');
    await visit.click(one('first-run-start'));
    await visit.page.see(one('ticket-sheet'));
    assert.match(await visit.page.see('dialog[open]'), new RegExp(PRIVATE), 'it says what will be joined');
    assert.deepEqual(await visit.page.texts(one('board')), [], 'and waits for the answer');
    await visit.shoot('first-visit-question');
    await visit.click(one('ticket-join'));
    await visit.page.see(one('board'));
    await seesTheCursor(visit);
    assert.ok(visit.clicks() <= CLICKS, `${visit.clicks()} clicks`);
  });
});
