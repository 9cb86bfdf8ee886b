// A private room in real windows: it is made, somebody comes in by its ticket, is put out, reads what happened, and learns
// nothing of what is said afterwards.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const ROOM = 'board-meeting';

const rig = new Rig();
after(() => rig.end());

describe('a private room in two windows', () => {
  const people = { host: 'Quiet Otter', guest: 'Brisk Heron' };
  const window = {};

  before(async () => {
    for (const [profile, name] of Object.entries(people)) {
      window[profile] = await rig.open(profile);
      const { page } = window[profile];
      await page.type(one('name-input'), name);
      await page.click(one('first-run-start'));
      await page.see(one('home'));
    }
  });

  it('is made by one, and entered by the other with its ticket', async () => {
    const { host, guest } = window;
    await host.page.click(`${one('start-access')} input[value=private]`);
    await host.page.type(one('start-room-input'), ROOM);
    await host.page.click(one('start-room'));
    await host.page.see(one('private-mark'));
    await host.page.click(one('invite'));
    await host.page.see(one('invite-ticket'));
    const value = () => host.page.js('return document.querySelector(arguments[0]).value', one('invite-ticket'));
    const ticket = await until('the ticket', value);
    assert.match(ticket, /^parlor:[a-z2-7]{60,}$/);
    await host.page.press('\uE00C');
    await guest.page.type(one('join-room-input'), ticket);
    await guest.page.click(one('join-room'));
    await guest.page.click(one('ticket-join'));
    await guest.page.see(one('board'));
  });

  it('lets its host put the other out, who reads why', async () => {
    const { host, guest } = window;
    if ((await host.page.texts(one('member-row'))).length === 0) await host.page.click(one('people-toggle'));
    await host.page.click(one('host-controls'));
    await host.shoot('host-menu');
    await host.page.click('[role=menuitem][data-choice=put-out]');
    await host.page.see(one('decision-sheet'));
    const still = 'return document.querySelector(arguments[0]).closest("dialog").getAnimations().length === 0';
    await until('the question to stand still', () => host.page.js(still, one('decision-sheet')));
    await host.shoot('host-question');
    await host.page.click(one('decide'));
    assert.match(await guest.page.see(one('out-of-room')), /A host changed the key of this room/);
    await guest.shoot('put-out');
    // The row stays a moment, and says so.
    await until('the news', async () => (await host.page.texts(one('member-row'))).some((text) => /put out/.test(text)));
    await host.shoot('host-told');
  });

  it('tells the one who is out nothing more, and lets nobody in with the old ticket', async () => {
    const { host, guest } = window;
    await host.page.click(one('room-title'));
    await host.page.type(one('title-input'), 'Among ourselves\uE007');
    await until('the title', async () => /Among ourselves/.test((await host.page.texts(one('room-title')))[0]));
    assert.doesNotMatch(await guest.page.js('return document.body.innerText + document.title'), /Among ourselves/);
    assert.equal((await guest.page.texts(one('board'))).length, 0);
    await guest.page.click(one('out-home'));
    await guest.page.see(one('home'));
  });
});
