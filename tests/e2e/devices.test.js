/** One person in a room from two computers: one row, in which others tell the two apart and see which of them is silent. */
import assert from 'node:assert/strict';
import { copyFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { isAccessible } from './accessible.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Two desks';

let browser, otter, heron, second;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.introduce();
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
  await heron.introduce();
  // Somebody who took their key to another computer, and not the whole profile.
  second = await Person.arrive(browser, 'Quiet Otter');
  await second.introduce();
  await second.goHome();
  const key = async (peer) => join(peer.data, (await readdir(peer.data, { recursive: true })).find((file) => file.endsWith('identity.key')));
  const there = await key(second.peer);
  await copyFile(await key(otter.peer), there);
  await rm(join(dirname(there), 'profile.json'));
  await second.comeBack(browser, otter, heron);
  second.id = (await second.peer.api('/profile')).userId;
  for (const person of [otter, heron, second]) await enter(person);
});

after(async () => {
  for (const person of [otter, heron, second]) await person?.leave();
  await browser?.close();
});

test('two devices of one person are one row, which says of how many', async () => {
  assert.equal(second.id, otter.id);
  await until('both are one', async () => (await heron.members(room)).length === 2);
  await heron.at('people-toggle').click();
  await until('two rows', async () => (await heron.at('member-row').count()) === 2);
  await heron.reads('devices', /2/);
  assert.equal(await heron.at('devices').count(), 1);
});

test('they are told apart by number, by name and by which one is one’s own', async () => {
  await heron.at('devices').click();
  await until('both', async () => (await devices(heron)).join('; ') === 'Linux, browser (1); Linux, browser (2)');
  await otter.at('footer-identity').click();
  await otter.at('device-name').fill('Bridge laptop');
  await otter.page.keyboard.press('Escape');
  await until('its name', async () => (await devices(heron)).join('; ') === 'Bridge laptop; Linux, browser', 15_000);
  await picture(heron.page, 'devices');
  await isAccessible(heron, 'devices');

  await second.at('people-toggle').click();
  await (await second.sees('devices')).click();
  await until('which one it is', async () => {
    const own = await second.page.locator(`[data-testid=device][data-session="${(await second.peer.api('/profile')).sessionId}"]`).textContent();
    return /Linux, browser.*this one/s.test(own);
  });
});

test('the one that is silent is said', async () => {
  otter.peer.process.kill('SIGSTOP');
  try {
    await until('silent', async () => {
      const first = await heron.at('device').first().textContent();
      return /Bridge laptop.*not heard now/s.test(first);
    }, 20_000);
    assert.equal(await heron.at('member-row').count(), 2);
  } finally {
    otter.peer.process.kill('SIGCONT');
  }
});

async function enter(person) {
  await person.at('start-room-input').fill(room);
  await person.at('start-room').click();
  await person.sees('board');
}

const devices = async (person) => (await person.at('device').locator('bdi').allTextContents()).map((words) => words.trim());
