/** axe finds nothing serious, in light and dark, on the screens that people see first. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { launch, openPage, picture } from './browser.js';
import { Person } from './person.js';
import { Peer } from './peer.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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
  await isAccessible('first-run');
});

test('the home screen', async () => {
  await person.introduce();
  await person.sees('home');
  await isAccessible('home');
});

test('a room with its people', async () => {
  await person.at('start-room-input').fill('A room');
  await person.at('start-room').click();
  await person.sees('board');
  if ((await person.at('member-row').count()) === 0) await person.at('people-toggle').first().click();
  await person.sees('member-row');
  await isAccessible('room');
});

test('an invitation, and the question that a ticket asks', async () => {
  await person.at('invite').click();
  const ticket = await (await person.sees('invite-ticket')).inputValue();
  await isAccessible('invite');
  await person.page.keyboard.press('Escape');
  await person.at('leave-room').click();
  await person.at('join-room-input').fill(ticket);
  await person.at('join-room').click();
  await person.sees('ticket-sheet');
  await isAccessible('ticket');
});

test('the news of a copied profile', async () => {
  const copy = await person.peer.copy(person.peer);
  try {
    await copy.post('/rooms/A%20room/join', {});
    await person.sees('clone-bar');
    await isAccessible('clone-bar');
  } finally {
    await copy.stop();
  }
});

async function isAccessible(screen) {
  for (const colorScheme of ['light', 'dark']) {
    await person.page.emulateMedia({ colorScheme });
    await picture(person.page, `axe-${screen}-${colorScheme}`);
    await person.page.evaluate(axe);
    const { violations } = await person.page.evaluate(() => globalThis.axe.run(document));
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const said = serious.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
    assert.deepEqual(said, [], `${screen}, ${colorScheme}`);
  }
}
