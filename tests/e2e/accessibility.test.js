/** axe finds nothing serious, in light and dark, on the screens that people see first. */
import { after, before, test } from 'node:test';

import { isAccessible } from './accessible.js';
import { launch, openPage } from './browser.js';
import { Person } from './person.js';
import { Peer } from './peer.js';

let browser, person;

before(async () => {
  browser = await launch();
  const peer = await Peer.start();
  // The tool is no part of the page, so the page's policy must let it in here, and here alone.
  person = new Person('Quiet Otter', peer, await openPage(browser, peer.url, { bypassCSP: true, reducedMotion: 'reduce' }));
});

after(async () => {
  await person?.leave();
  await browser?.close();
});

test('the first run', async () => {
  await person.sees('first-run');
  await isAccessible(person, 'first-run');
});

test('the home screen', async () => {
  await person.introduce();
  await person.sees('home');
  await isAccessible(person, 'home');
});

test('a room with its people', async () => {
  await person.at('start-room-input').fill('A room');
  await person.at('start-room').click();
  await person.sees('board');
  if ((await person.at('member-row').count()) === 0) await person.at('people-toggle').first().click();
  await person.sees('member-row');
  await isAccessible(person, 'room');
});

test('a board with notes, one of them selected, and one written in', async () => {
  const board = await (await person.sees('board')).boundingBox();
  for (const [x, words] of [
    [200, 'First note'],
    [450, 'Second note'],
  ]) {
    await person.page.keyboard.press('n');
    await person.page.mouse.click(board.x + x, board.y + 250);
    await (await person.sees('note-field')).pressSequentially(words);
    await person.page.keyboard.press('Escape');
  }
  await person.sees('note-tools');
  await isAccessible(person, 'board');
  await person.page.keyboard.press('Enter');
  await person.sees('note-field');
  await isAccessible(person, 'board-writing');
  await person.page.keyboard.press('Escape');
  await person.page.keyboard.press('Escape');
  await person.at('board-menu').click();
  await person.page.locator('[data-choice=import]').click();
  await person.sees('import-text');
  await isAccessible(person, 'board-import');
  await person.page.keyboard.press('Escape');
  await person.seesNo('import-text');
});

test('what is said in it', async () => {
  await person.page.keyboard.press('t');
  await person.at('message-input').fill('Hello, see https://a.example/');
  await person.page.keyboard.press('Enter');
  await person.sees('message');
  await person.at('message').first().hover();
  await person.sees('message-actions');
  await isAccessible(person, 'messages');
  await person.at('notify-open').click();
  await person.sees('notify');
  await isAccessible(person, 'notify');
  await person.page.keyboard.press('Escape');
});

test('an invitation, and the question that a ticket asks', async () => {
  await person.at('invite').click();
  const ticket = await (await person.sees('invite-ticket')).inputValue();
  await isAccessible(person, 'invite');
  await person.page.keyboard.press('Escape');
  await person.at('leave-room').click();
  await person.at('join-room-input').fill(ticket);
  await person.at('join-room').click();
  await person.sees('ticket-sheet');
  await isAccessible(person, 'ticket');
});

test('the news of a copied profile', async () => {
  const copy = await person.peer.copy(person.peer);
  try {
    await copy.post('/rooms/A%20room/join', {});
    await person.sees('clone-bar');
    await isAccessible(person, 'clone-bar');
  } finally {
    await copy.stop();
  }
});
