// Two people, two windows, one room: the first story of Parlor from the first run to the end of it, once in good order
// and once by a crash. The real engine and the real page; nothing is simulated.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const ROOM = 'war-room';
const ENTER = '\uE007';

const rig = new Rig();
after(() => rig.end());

/** What a window shows of somebody: the state of their row in the list of people, or nothing. */
async function seen(window, userId) {
  const [state] = await window.page.attributes(one('member-row', { member: userId }), 'data-state');
  return state ?? 'nothing';
}

const isHere = (state) => state === 'active';
/** The row stays a while, greyed as "left just now"; for everything else they are gone. */
const isGone = (state) => state === 'left' || state === 'nothing';

async function enter(window) {
  await window.page.type(one('start-room-input'), ROOM);
  await window.page.click(one('start-room'));
  await window.page.see(one('board'));
}

/** The list of people may be folded away. */
async function showPeople(window) {
  if ((await window.page.texts(one('member-row'))).length === 0) await window.page.click(one('people-toggle'));
  await window.page.see(one('member-row'));
}

describe('two windows in one room', () => {
  const people = { first: 'Quiet Otter', second: 'Brave Heron' };
  const window = {};
  const userId = {};

  before(async () => {
    for (const profile of Object.keys(people)) window[profile] = await rig.open(profile);
  });

  it('asks for a name at the first run, proposing one', async () => {
    for (const [profile, name] of Object.entries(people)) {
      const { page } = window[profile];
      await page.see(one('first-run'));
      const proposed = await page.js('return document.querySelector(arguments[0]).value', one('name-input'));
      assert.ok(proposed.trim().length > 0, 'a name is proposed');
      if (profile === 'first') await window.first.shoot('first-run');
      await page.type(one('name-input'), name);
      await page.click(one('first-run-start'));
      await page.see(one('home'));
      assert.match(await page.see(one('footer-identity')), new RegExp(name));
    }
    await window.first.shoot('home');
  });

  it('shows each the other by name', async () => {
    for (const profile of Object.keys(people)) await enter(window[profile]);
    for (const profile of Object.keys(people)) await showPeople(window[profile]);
    for (const [mine, theirs] of [['first', 'second'], ['second', 'first']]) {
      const rows = () => window[mine].page.texts(one('member-row'));
      const row = await until(`${mine} to see ${theirs}`, async () => (await rows()).find((text) => text.includes(people[theirs])));
      assert.ok(row);
    }
    const { page } = window.first;
    const ids = await page.attributes(one('member-row'), 'data-member');
    const texts = await page.texts(one('member-row'));
    for (const [profile, name] of Object.entries(people)) userId[profile] = ids[texts.findIndex((text) => text.includes(name))];
    assert.match(userId.second, /^u_/);
    assert.notEqual(userId.first, userId.second);
    assert.equal((await page.attributes(one('avatar', { member: userId.second }), 'data-member')).length, 1);
    assert.equal(await seen(window.first, userId.second), 'active');
  });

  it("moves the other's cursor where the pointer goes", async () => {
    const cursor = one('cursor', { member: userId.second });
    await window.second.page.move(one('board'), [[-120, -60], [-100, -40]]);
    await window.first.page.see(cursor);
    const still = (await window.first.page.place(cursor)).x;
    await window.second.page.move(one('board'), [[40, 20], [140, 80]]);
    await until('the cursor to follow', async () => (await window.first.page.place(cursor)).x - still, 5_000, (x) => x > 150);
    // Both boards stand at the same pan and zoom, so the spot is the same one.
    const board = await window.first.page.place(one('board'));
    const wanted = { x: board.x + board.width / 2 + 140, y: board.y + board.height / 2 + 80 };
    const off = async () => {
      const at = await window.first.page.place(cursor);
      return Math.max(Math.abs(at.x - wanted.x), Math.abs(at.y - wanted.y));
    };
    await until('the cursor to arrive', off, 5_000, (pixels) => pixels < 12);
    await window.first.shoot('cursor');
  });

  it('carries a new title to the other window', async () => {
    await window.first.page.click(one('room-title'));
    await window.first.page.type(one('title-input'), 'Incident response');
    await window.first.page.press(ENTER);
    const title = () => window.second.page.see(one('room-title'));
    await until('the title to arrive', title, 5_000, (text) => text.includes('Incident response'));
  });

  it('shows what the other selects and says', async () => {
    await window.first.page.drag(one('board'), [[-330, -170], [-60, 10]]);
    await window.second.page.see(one('selection', { member: userId.first }));
    await window.first.page.move(one('board'), [[40, 60], [120, 110]]);
    await window.first.page.press('/');
    await window.first.page.type(one('chat-input'), 'The database is back');
    const cursor = () => window.second.page.texts(one('cursor', { member: userId.first }));
    await until('the words to arrive', async () => (await cursor()).join(), 5_000, (text) => text.includes('back'));
    await window.second.shoot('room');
  });

  it('is back in the room when the page is loaded anew', async () => {
    await window.first.page.reload();
    await window.first.page.see(one('board'));
    await showPeople(window.first);
    await until('the other to be there', () => seen(window.first, userId.second), 5_000, isHere);
    const title = () => window.first.page.see(one('room-title'));
    await until('the title to be there', title, 5_000, (text) => text.includes('Incident response'));
  });

  it('greys somebody who crashed and removes them within six seconds', async () => {
    const crashed = performance.now();
    window.second.kill();
    await until('grey', () => seen(window.first, userId.second), 4_500, (state) => state === 'stale');
    await window.first.shoot('stale');
    await until('gone', () => seen(window.first, userId.second), 6_000 - (performance.now() - crashed), isGone);
    assert.deepEqual(await window.first.page.texts(one('cursor', { member: userId.second })), [], 'the cursor went too');
  });

  it('has them back as the same person after a restart, straight into the room', async () => {
    window.second = await rig.open('second', { args: ['--room', ROOM] });
    await window.second.page.see(one('board'));
    assert.deepEqual(await window.second.page.texts(one('first-run')), [], 'nobody is asked for a name twice');
    await until('the other to be back', () => seen(window.first, userId.second), 10_000, isHere);
  });

  it('goes to the room that a second start of the app names', async () => {
    const title = () => window.second.page.see(one('room-title'));
    for (const [room, shown, state] of [['another', 'another', isGone], [ROOM, 'Incident response', isHere]]) {
      const again = rig.launch('second', { screen: window.second.screen, args: ['--room', room] });
      assert.equal(await again.exited(), 0);
      await until(`the window to be in ${room}`, title, 5_000, (text) => text.includes(shown));
      await until('the other window to show it', () => seen(window.first, userId.second), 5_000, state);
    }
  });

  it('removes somebody whose window was closed at once', async () => {
    await until('the other to be there', () => seen(window.first, userId.second), 5_000, isHere);
    await window.second.close();
    const asked = performance.now();
    await until('gone', () => seen(window.first, userId.second), 10_000, isGone);
    console.log(`gone ${Math.round(performance.now() - asked)} ms after the window was asked to close`);
    await window.second.ended(10_000);
    await window.first.shoot('left');
  });
});
