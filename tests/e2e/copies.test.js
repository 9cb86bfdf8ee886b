/**
 * A copied profile on two computers (report M8): both windows say so, one is read-only, and one click makes two people of
 * them, in the room that they were in.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Harbour plan';

let browser, otter, heron, copy;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
  for (const person of [otter, heron]) await person.introduce();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await otter.sees('board');
  await heron.at('join-room-input').fill(room);
  await heron.at('join-room').click();
  await heron.sees('avatar', otter);
});

after(async () => {
  for (const person of [otter, heron, copy]) await person?.leave();
  await browser?.close();
});

test('nothing is said while there is no copy', async () => {
  for (const person of [otter, heron]) await person.seesNo('clone-bar');
});

test('both windows are told, and the one that was opened first is read-only', async () => {
  copy = await otter.again(browser, heron);
  assert.equal((await copy.peer.api('/profile')).userId, otter.id);
  await copy.at('join-room-input').fill(room);
  await copy.at('join-room').click();
  await copy.sees('board');
  await otter.reads('clone-bar', /open on another computer, so this window is read-only.*nothing of this window/);
  await copy.reads('clone-bar', /Another computer runs a copy of your profile/);
  await heron.seesNo('clone-bar');
  for (const [name, person] of [['read-only', otter], ['other', copy]]) await picture(person.page, `copy-${name}`);
  // Whoever looks on still sees what happens.
  await otter.sees('avatar', heron);
  assert.equal((await heron.members(room)).length, 2, 'the others see one person, and no coming and going');
});

test('the window stays usable when it is small and in the dark', async () => {
  await otter.page.setViewportSize({ width: 720, height: 480 });
  await otter.page.emulateMedia({ colorScheme: 'dark' });
  const { width } = await (await otter.sees('clone-bar')).boundingBox();
  assert.equal(width, 720);
  const overflow = await otter.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(overflow, 0);
  const footer = await otter.at('footer-identity').boundingBox();
  assert.ok(footer.y + footer.height <= 480, 'the footer is still there');
  await picture(otter.page, 'copy-small-dark');
  await otter.page.emulateMedia({ colorScheme: 'light' });
  await otter.page.setViewportSize({ width: 1280, height: 800 });
});

test('one click makes somebody new, who is back in the room, and both speak', async () => {
  await otter.at('new-identity').click();
  await until('another id', async () => (await otter.peer.api('/profile')).userId !== otter.id);
  const old = otter.id;
  otter.id = (await otter.peer.api('/profile')).userId;
  await otter.seesNo('clone-bar');
  await otter.sees('board');
  for (const person of [otter, heron, copy]) {
    for (const other of [otter, heron, copy]) await person.sees('avatar', other);
  }
  assert.equal(copy.id, old, 'the copy goes on as who they were');
  // It is over when nothing was heard of the other one for as long as a member may be silent.
  await until('the copy sees no bar', async () => (await copy.at('clone-bar').count()) === 0, 30_000);
  await picture(otter.page, 'copy-over');
  // Both change what everybody sees.
  for (const person of [otter, copy]) {
    const answer = await person.peer.post(`/rooms/${encodeURIComponent(room)}/presence`, { presence: { mark: person.id } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await until('the mark', async () => (await heron.member(room, person))?.presence.mark === person.id);
  }
});

test('nothing went wrong on the way', () => {
  for (const person of [heron, copy]) assert.deepEqual(person.page.troubles, []);
  // The browser itself reports that the read-only one was refused, and that the streams of the old session ended.
  for (const trouble of otter.page.troubles) assert.match(trouble, /status of (409|503)|WebSocket/);
});
