/**
 * What people see is what somebody looked at and found good: the pages that they see most, light and dark, in the
 * system's own colours, at 200 % and in the smallest window, against the pictures in `pictures/`.
 */
import { after, before, describe, test } from 'node:test';

import { launch } from './browser.js';
import { looksAsBefore } from './compare.js';
import { inColours, SIZES } from './modes.js';
import { REPORT } from './network.js';
import { until } from './until.js';
import { OPEN, PRIVATE, Visit } from './visit.js';

let browser;

/** Letters and colours are drawn the same everywhere. */
before(async () => void (browser = await launch('--font-render-hinting=none', '--disable-lcd-text', '--force-color-profile=srgb')));
after(() => browser?.close());

describe('at 100 %', () => {
  const visit = from({});

  test('first run', async () => {
    await named(visit());
    await seen(visit(), 'first-run', 'light', 'dark');
  });

  test('home', async () => {
    await comeHome(visit());
    await seen(visit(), 'home', 'light', 'forced');
  });

  test('a network with problems', async () => {
    const { page } = visit().otter;
    await page.route('**/network/check', (route) => route.fulfill({ json: REPORT }));
    await page.keyboard.press('Control+k');
    await visit().otter.at('palette-input').fill('firewall');
    await page.locator('[data-action=network]').click();
    await page.locator('[data-testid=finding]').first().waitFor();
    await seen(visit(), 'network', 'light', 'dark');
    await visit().clear();
  });

  test('a room', async () => {
    await enter(visit());
    await visit().panel('people');
    await visit().otter.sees('gather');
    await seen(visit(), 'room', 'light', 'dark', 'forced');
  });

  test('messages', async () => {
    await talk(visit());
    await visit().panel('messages');
    await until('all of them', async () => (await visit().otter.at('message').count()) === 4);
    await seen(visit(), 'messages', 'light', 'dark');
  });

  test('settings', async () => {
    await visit().otter.at('footer-identity').click();
    await visit().otter.sees('settings');
    await seen(visit(), 'settings', 'light', 'forced');
  });

  test('shortcuts', async () => {
    await visit().clear();
    await visit().otter.page.keyboard.press('?');
    await visit().otter.sees('shortcuts');
    await seen(visit(), 'shortcuts', 'dark');
  });

  test('an invitation to a private room', async () => {
    await visit().clear();
    await visit().otter.at('leave-room').click();
    await visit().otter.page.locator('[data-testid=start-access] input').last().check({ force: true });
    await visit().otter.at('start-room-input').fill(PRIVATE);
    await visit().otter.at('start-room').click();
    await visit().otter.sees('board');
    await visit().otter.at('invite').click();
    await visit().otter.sees('qr');
    await visit().otter.sees('change-key');
    await seen(visit(), 'invitation', 'light');
  });
});

describe('at 200 %', () => {
  const visit = from(SIZES.twice);

  test('a room, and what is said in it', async () => {
    await named(visit());
    await comeHome(visit());
    await enter(visit());
    await visit().otter.sees('note');
    await seen(visit(), 'twice-room', 'light');
    await talk(visit());
    await visit().panel('messages');
    await until('all of them', async () => (await visit().otter.at('message').count()) >= 2);
    await seen(visit(), 'twice-messages', 'dark');
  });
});

describe('in the smallest window, in German', () => {
  const visit = from({ ...SIZES.smallest, locale: 'de-DE' });

  test('home, and the people of a room', async () => {
    await named(visit());
    await comeHome(visit());
    await seen(visit(), 'smallest-home', 'light');
    await enter(visit());
    await visit().panel('people');
    await visit().otter.sees('gather');
    await seen(visit(), 'smallest-room', 'dark');
  });
});

/** A visit that lasts for the tests beside it. */
function from(options) {
  let visit;
  before(async () => void (visit = await Visit.begin(browser, options)));
  after(() => visit?.end());
  return () => visit;
}

async function seen(visit, name, ...colours) {
  const { page } = visit.otter;
  // Nothing is under the pointer, and no news lies over the page.
  await page.mouse.move(0, 0);
  await until('no news', async () => (await page.locator('.notes .note').count()) === 0, 15_000);
  for (const colour of colours) {
    await inColours(page, colour);
    await looksAsBefore(page, `${name}-${colour}`);
  }
  await inColours(page, 'light');
}

async function named({ otter }) {
  await otter.sees('first-run');
  await otter.at('name-input').fill('Quiet Otter');
  await otter.page.locator('[data-testid=first-run] input[type=radio]').first().check({ force: true });
  await otter.at('name-input').focus();
}

/** Home, with a room of two others near. */
async function comeHome(visit) {
  const { otter, heron } = visit;
  await visit.gather(OPEN);
  await visit.do(heron, OPEN, 'metadata', { metadata: { title: 'Power out on deck 3', mode: 'war_room' } });
  await otter.introduce();
  await otter.page.getByText('Power out on deck 3').first().waitFor();
  await until('both are there', async () => (await otter.page.locator('[data-testid=room-card] [data-letters]').count()) === 2, 20_000);
}

/** The room, with notes around the middle of what one sees, and somebody who points there. */
async function enter(visit) {
  const { otter, heron, wren } = visit;
  await visit.go(OPEN);
  await until('all three', async () => (await otter.at('avatar').count()) === 3 || (await otter.page.locator('.more').count()) > 0);
  const { x, y, w, h } = (await otter.member(OPEN, otter)).presence.viewport;
  const at = (left, top) => ({ x: x + w / 2 + left, y: y + h / 2 + top, w: 150, h: 90 });
  const set = [
    { id: 'fuel', text: 'Generator 2\nno fuel pressure', color: 'red', z: 1, ...at(-270, -100) },
    { id: 'pump', text: 'Spare pump: gate 4', color: 'yellow', z: 2, ...at(-100, -100) },
    { id: 'crane', text: 'Crane feed: fine', color: 'blue', z: 3, ...at(-270, 10) },
  ];
  await visit.do(heron, OPEN, 'board', { set });
  await visit.do(heron, OPEN, 'presence', { presence: { cursor: { x: x + w / 2 - 60, y: y + h / 2 + 20 } } });
  await visit.do(wren, OPEN, 'presence', { presence: { selection: { x: x + w / 2 - 280, y: y + h / 2 - 110, w: 170, h: 110 } } });
  await until('the notes', async () => (await otter.at('note').count()) === 3);
  await until('somebody points', async () => (await otter.page.locator('[data-testid=cursor]:visible').count()) === 1);
}

/** What was said before one comes in again, so that none of it is news. */
async function talk(visit) {
  const { otter, heron, wren } = visit;
  await visit.says(heron, 'Power is out on deck 3, generator two does not start.');
  await visit.says(wren, 'I have the key to the cable room. On my way.');
  await visit.says(otter.peer, 'Breaker seven was closed when I left.');
  await visit.says(heron, 'Crane feed is fine: https://harbour.example/status');
  await visit.panel('messages');
  await until('all is here', async () => (await otter.at('message').filter({ hasText: 'Crane feed' }).count()) === 1);
  await otter.at('messages-menu').click();
  await otter.page.locator('[data-choice=read]:visible').click();
  await otter.seesNo('unread-badge');
  await visit.go(OPEN);
}
