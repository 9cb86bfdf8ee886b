/**
 * Two people in two browsers, each on a headless peer of its own, from the first run to leaving. The tests build on
 * each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Incident room';
/** How far a drawn place may be from the right one, in pixels. */
const NEAR = 4;

let browser, otter, heron;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
});

after(async () => {
  await otter?.leave();
  await heron?.leave();
  await browser?.close();
});

test('the first run asks who one is', async () => {
  await otter.sees('first-run');
  await picture(otter.page, 'first-run');
  await otter.introduce();
  await heron.introduce();
  for (const person of [otter, heron]) {
    await person.sees('home');
    await person.reads('footer-identity', new RegExp(person.name));
  }
});

test('a link with an old key says to open the link again', async () => {
  const page = await openPage(browser, `${otter.peer.http}/#token=of-an-earlier-start`);
  await page.getByText('Open the link again').waitFor();
  await page.context().close();
});

test('a room that one starts is on the home screen of the other', async () => {
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await otter.sees('board');
  const card = heron.at('room-card').filter({ hasText: room }).first();
  await until('the room near', () => card.isVisible(), 30_000);
  await picture(heron.page, 'home');
  await card.click();
  await heron.sees('board');
});

test('both see both', async () => {
  for (const person of [otter, heron]) {
    await person.sees('avatar', otter);
    await person.sees('avatar', heron);
    const rows = await person.members(room);
    assert.deepEqual(rows.map((row) => row.state), ['active', 'active']);
    assert.deepEqual(rows.map((row) => row.memberId), [otter.id, heron.id], 'who came first stands first');
  }
});

test('a cursor is at the same place of the board for both', async () => {
  const board = await otter.board();
  const at = { x: Math.round(board.x + board.width * 0.4), y: Math.round(board.y + board.height * 0.45) };
  await otter.page.mouse.move(at.x - 120, at.y - 80);
  await otter.page.mouse.move(at.x, at.y, { steps: 20 });
  await isDrawnWhereItIs(otter, heron, at);
  await picture(heron.page, 'cursor');

  // Also when the other looks at another part of the board.
  await lookElsewhere(heron);
  await isDrawnWhereItIs(otter, heron, at);
});

test('a cursor that leaves the board is gone', async () => {
  await otter.at('room-title').first().hover();
  await until('no cursor', async () => {
    const cursor = heron.at('cursor', otter);
    return (await cursor.count()) === 0 || !(await cursor.first().isVisible());
  });
});

test('what somebody says shows at their cursor', async () => {
  const board = await otter.board();
  await otter.page.mouse.move(board.x + board.width / 2, board.y + board.height / 2);
  await otter.page.mouse.click(board.x + board.width / 2, board.y + board.height / 2);
  await otter.page.keyboard.press('/');
  await otter.page.keyboard.type('on it', { delay: 20 });
  await until('the words at the cursor', async () => (await otter.member(room, otter)).presence.chat === 'on it');
  await until('the words at the cursor, over there', async () =>
    ((await heron.at('cursor', otter).first().textContent()) ?? '').includes('on it'),
  );
  await picture(heron.page, 'chat');
  assert.doesNotMatch(await heron.at('typing-line').first().textContent(), /is typing/, 'it is no message');
  await otter.page.keyboard.press('Escape');
  await until('no words', async () => (await otter.member(room, otter)).presence.chat === undefined);
});

test('also without a pointer on the board', async () => {
  await otter.at('room-title').first().hover();
  const gone = async () => !(await heron.at('cursor', otter).first().isVisible());
  await until('no cursor', gone);
  await otter.at('board').focus();
  await otter.page.keyboard.press('/');
  await otter.page.keyboard.type('by keys', { delay: 10 });
  await otter.page.keyboard.press('Enter');
  await until('the words, over there', async () =>
    ((await heron.at('cursor', otter).first().textContent()) ?? '').includes('by keys') && !(await gone()),
  );
  await otter.page.keyboard.press('Escape');
  await until('no cursor when they have passed', gone);
});

test('a tool in hand shows at the cursor', async () => {
  const board = await otter.board();
  const tool = heron.at('cursor', otter).first().locator('[data-tool]');
  await otter.page.mouse.move(board.x + board.width / 2, board.y + board.height / 2, { steps: 3 });
  await otter.at('tool-pen').click();
  await otter.page.mouse.move(board.x + board.width / 2, board.y + board.height / 3, { steps: 3 });
  await until('the pen', async () => (await tool.getAttribute('data-tool')) === 'pen' && (await tool.isVisible()));
  await picture(heron.page, 'cursor-tool');
  await otter.at('tool-select').click();
  await until('no tool', async () => (await tool.count()) === 0);
});

test('the title is edited in place', async () => {
  await otter.at('room-title').first().click();
  await (await otter.sees('title-input')).fill('Database is down');
  await otter.page.keyboard.press('Enter');
  for (const person of [otter, heron]) await person.reads('room-title', /Database is down/);
  await heron.at('room-title').first().click();
  await (await heron.sees('title-input')).fill('Database is back');
  await heron.page.keyboard.press('Enter');
  for (const person of [otter, heron]) await person.reads('room-title', /Database is back/);
});

test('mode and lock are shared', async () => {
  await chooseMode(otter, 'war_room');
  await heron.reads('mode-chip', /War room/);
  await lock(heron, true);
  await until('the lock', async () => (await settings(otter)).locked === true);
  await otter.reads('lock-chip', /Locked/i);
  await lock(heron, false);
  await until('the lock off', async () => (await settings(otter)).locked !== true);
});

test('a selection is outlined at the same place', async () => {
  const board = await otter.board();
  await otter.page.keyboard.press('Escape');
  await otter.page.keyboard.press('v');
  const from = { x: board.x + 300, y: board.y + 200 };
  await otter.page.mouse.move(from.x, from.y);
  await otter.page.mouse.down();
  await otter.page.mouse.move(from.x + 180, from.y + 110, { steps: 10 });
  await otter.page.mouse.up();
  await until('the outline', async () => {
    const selection = (await heron.member(room, otter)).presence.selection;
    const seen = await heron.at('selection', otter).first().boundingBox();
    const view = (await heron.member(room, heron)).presence.viewport;
    if (!selection || !seen || !view) return false;
    const own = await heron.board();
    return (
      near(seen.x, own.x + (selection.x - view.x) * view.zoom) &&
      near(seen.y, own.y + (selection.y - view.y) * view.zoom) &&
      near(seen.width, 180 * view.zoom) &&
      near(seen.height, 110 * view.zoom)
    );
  });
  await picture(heron.page, 'selection');
});

test('role and status are told', async () => {
  await showPeople(otter);
  await showPeople(heron);
  await write(otter.at('role-input').first(), 'Scribe');
  await write(otter.at('status-input').first(), 'back at 14:00');
  await heron.reads('member-row', /Scribe/, otter);
  await heron.reads('member-row', /back at 14:00/, otter);
  assert.equal(await heron.at('member-row', otter).first().getAttribute('data-state'), 'active');
  await picture(heron.page, 'people');
});

test('who leaves is gone', async () => {
  await otter.at('leave-room').click();
  await otter.sees('home');
  await until('the row is gone', async () => (await heron.members(room)).length === 1);
  await until('the person is gone or greyed', async () => {
    const row = heron.at('member-row', otter);
    return (await row.count()) === 0 || (await row.first().getAttribute('data-state')) === 'left';
  });
  await heron.seesNo('cursor', otter);
  await heron.seesNo('selection', otter);
  await picture(heron.page, 'left');
});

test('a peer that ends is gone, and ends well', async () => {
  await otter.at('room-card').filter({ hasText: /Database is back|Incident room/ }).first().click();
  await heron.sees('avatar', otter);
  assert.deepEqual(otter.page.troubles, []);
  // The page goes first: what it says about a peer that is gone is not a trouble.
  const code = await otter.leave();
  assert.equal(code, 0, otter.peer.complaints.join('\n'));
  otter = undefined;
  await until('the row is gone', async () => (await heron.members(room)).length === 1);
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(heron.page.troubles, []);
});

const near = (a, b) => Math.abs(a - b) <= NEAR;

const settings = async (person) => (await person.peer.api(`/rooms/${encodeURIComponent(room)}/metadata`)).metadata;

/** That `mover`, whose mouse is at `at`, is drawn for `viewer` where the board says. */
async function isDrawnWhereItIs(mover, viewer, at) {
  const board = await mover.board();
  let story;
  await until('the cursor at its place', async () => {
    const own = (await viewer.member(room, mover)).presence;
    const view = (await viewer.member(room, viewer)).presence.viewport;
    const seen = await viewer.at('cursor', mover).first().boundingBox();
    const screen = await viewer.board();
    story = { cursor: own.cursor, viewport: own.viewport, view, seen, screen, board, at };
    if (!own.cursor || !own.viewport || !view || !seen) return false;
    const spot = {
      x: own.viewport.x + (at.x - board.x) / own.viewport.zoom,
      y: own.viewport.y + (at.y - board.y) / own.viewport.zoom,
    };
    return (
      near(own.cursor.x, spot.x) &&
      near(own.cursor.y, spot.y) &&
      near(seen.x, screen.x + (spot.x - view.x) * view.zoom) &&
      near(seen.y, screen.y + (spot.y - view.y) * view.zoom)
    );
  }).catch((error) => {
    error.message += ` ${JSON.stringify(story)}`;
    throw error;
  });
}

/** Moves one's view of the board, and waits until the own peer knows. */
async function lookElsewhere(person) {
  const before = (await person.member(room, person)).presence.viewport;
  await person.at('board').first().focus();
  await person.page.keyboard.press('ArrowRight');
  await person.page.keyboard.press('ArrowDown');
  await until('another view', async () => {
    const now = (await person.member(room, person)).presence.viewport;
    return now.x !== before.x && now.y !== before.y;
  });
}

async function chooseMode(person, mode) {
  await (await person.sees('mode-chip')).click();
  await person.page.locator(`[data-mode="${mode}"]`).click();
}

async function lock(person, locked) {
  await (await person.sees('lock-chip')).click();
  await until('the own lock', async () => ((await settings(person)).locked === true) === locked);
}

async function showPeople(person) {
  if ((await person.at('member-row').count()) === 0) await person.at('people-toggle').first().click();
  await person.sees('member-row', person);
}

async function write(field, text) {
  await field.fill(text);
  await field.press('Enter');
}
