/**
 * A large board and a full room, and what one does to look around in them: the map, the wheel, the tools that leave nothing,
 * chips at the edge, the search for somebody. The tests build on each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PNG } from 'pngjs';

import { launch, picture } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Warehouse';
const path = `/rooms/${encodeURIComponent(room)}`;
/** A board of so many, in rows of forty; a few more have room on it. */
const NOTES = 1_960;
const ROW = 40;
const STEP = { x: 240, y: 190 };
/** Elements of notes on a screen at most: what is around the view is kept ready. */
const SHOWN_MAX = 150;
/** The colour of somebody who looks at another part of the board. */
const RED = '#d53b4a';

let browser, otter, heron;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.introduce();
  heron = await Peer.start(otter.peer);
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await otter.sees('board');
});

after(async () => {
  await otter?.leave();
  await heron?.stop();
  await browser?.close();
});

const here = async () => (await otter.member(room, otter)).presence;
const join = (name, presence) => heron.post(`${path}/join`, { presence }, { id: name.toLowerCase(), name });

test('a tenth person folds into a number, and from eight on one can search', async () => {
  await otter.at('people-toggle').first().click();
  for (let number = 1; number <= 6; number++) await join(`Porter${number}`, { name: `Porter ${number}` });
  await until('seven', async () => (await otter.at('member-row').count()) === 7);
  await otter.seesNo('people-search');
  await join('Clerk', { name: 'Clerk', status: 'counting' });
  await (await otter.sees('people-search')).fill('count');
  await until('one of them', async () => (await otter.at('member-row').count()) === 1);
  await otter.reads('member-row', /Clerk/);
  await otter.at('people-search').fill('nobody of this name');
  await otter.page.getByText('nobody of this name').waitFor();
  await otter.at('people-search').fill('');
  for (let number = 1; number <= 24; number++) await join(`Guest${number}`, { name: `Guest ${number}` });
  await until('all of them', async () => (await otter.members(room)).length === 32);
  const faces = await otter.at('avatar').count();
  assert.ok(faces < 32, `${faces} faces`);
  await otter.page.getByText(`+${32 - faces}`, { exact: true }).first().waitFor();
  await picture(otter.page, 'full-room');
  await otter.at('people-toggle').first().click();
});

test('of nearly two thousand notes those in view are in the document', async () => {
  const all = Array.from({ length: NOTES }, (_, number) => ({
    id: `n${number}`,
    text: `Shelf ${number}`,
    x: (number % ROW) * STEP.x,
    y: Math.floor(number / ROW) * STEP.y,
    w: 200,
    h: 150,
    z: number,
  }));
  for (let from = 0; from < NOTES; from += 50) {
    const set = all.slice(from, from + 50);
    // The board takes so many a second from one, and says when the next may come.
    const answer = await until('a place for them', async () => {
      const one = await otter.peer.post(`${path}/board`, { set });
      return one.status === 429 ? null : one;
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  await until('all of them', async () => (await otter.peer.api(`${path}/board`)).notes.length === NOTES);
  await until('some of them', async () => (await otter.at('note').count()) > 4);
  const shown = await otter.at('note').count();
  assert.ok(shown <= SHOWN_MAX, `${shown} elements`);
  assert.equal(await shelf(NOTES - 1).count(), 0);
});

test('a press on the map goes there', async () => {
  await join('Clerk', { name: 'Clerk', color: RED, viewport: { x: -4_000, y: 0, w: 2_400, h: 1_600 } });
  await until('where the other looks', async () => (await reds()) > 40);
  const before = await here();
  const map = await otter.page.locator('.corner canvas').boundingBox();
  await otter.page.mouse.click(map.x + map.width * 0.6, map.y + map.height * 0.9);
  await until('another view', async () => {
    const { viewport } = await here();
    return viewport !== undefined && viewport.y > (before.viewport?.y ?? 0) + 2_000;
  });
  await until('the notes there', async () => {
    const { viewport } = await here();
    const row = Math.ceil(viewport.y / STEP.y);
    const column = Math.max(0, Math.ceil(viewport.x / STEP.x));
    return shelf(row * ROW + column).isVisible();
  });
  assert.ok((await otter.at('note').count()) <= SHOWN_MAX);
  await picture(otter.page, 'large-board');
});

test('the wheel moves the view and, with Control, zooms about the pointer', async () => {
  const board = await otter.board();
  const at = { x: Math.round(board.x + 300), y: Math.round(board.y + 250) };
  await otter.page.mouse.move(at.x, at.y);
  const first = (await here()).viewport;
  await otter.page.mouse.wheel(0, 200);
  await until('farther down', async () => Math.abs((await here()).viewport.y - first.y - 200 / zoomOf(first, board)) < 3);
  const second = (await here()).viewport;
  await otter.page.keyboard.down('Control');
  await otter.page.mouse.wheel(0, -60);
  await otter.page.keyboard.up('Control');
  await until('nearer', async () => (await here()).viewport.w < second.w * 0.8);
  const third = (await here()).viewport;
  const under = (viewport) => viewport.x + (at.x - board.x) / zoomOf(viewport, board);
  assert.ok(Math.abs(under(third) - under(second)) < 3, `${under(third)} for ${under(second)}`);
});

test('the hand moves the view, and the laser leaves a line that passes', async () => {
  const board = await otter.board();
  const from = { x: board.x + 400, y: board.y + 300 };
  const { viewport } = await here();
  await otter.page.keyboard.press('h');
  await drag(from, { x: from.x - 120, y: from.y });
  await until('the view farther right', async () =>
    Math.abs((await here()).viewport.x - viewport.x - 120 / zoomOf(viewport, board)) < 3,
  );
  await otter.page.keyboard.press('l');
  await otter.page.mouse.move(from.x, from.y);
  await otter.page.mouse.down();
  await otter.page.mouse.move(from.x + 90, from.y + 40, { steps: 8 });
  await until('the line of a laser', async () => (await here()).ink?.kind === 'laser' || (await here()).tool === 'laser');
  assert.notEqual((await here()).ink, undefined);
  await otter.page.mouse.up();
  await until('no line', async () => (await here()).ink === undefined);
  await otter.page.keyboard.press('v');
});

test('a chip at the edge says who is elsewhere, and a press goes there', async () => {
  const spot = { x: -3_000, y: -2_000 };
  await join('Porter1', { name: 'Porter 1', cursor: { ...spot, t: 1 } });
  const chip = otter.page.locator('[data-testid="edge-chip"]:visible').first();
  await chip.waitFor();
  await chip.click();
  await until('there', async () => {
    const { viewport: { x, y, w, h } } = await here();
    return spot.x > x && spot.x < x + w && spot.y > y && spot.y < y + h;
  });
});

test('a file of Markdown makes notes', async () => {
  await otter.at('board-menu').click();
  await otter.page.locator('[data-choice=import]').click();
  const file = { name: 'list.md', mimeType: 'text/markdown', buffer: Buffer.from('# List\n\n- From a file\n- And another\n') };
  await otter.page.locator('dialog input[type=file]').setInputFiles(file);
  await until('its text', async () => /From a file/.test(await otter.at('import-text').inputValue()));
  await otter.at('import-action').click();
  await until('its notes', async () => {
    const { notes } = await otter.peer.api(`${path}/board`);
    return ['From a file', 'And another'].every((text) => notes.some((note) => note.text === text));
  });
});

test('keys of one’s own are added, changed and taken away, and everybody has them', async () => {
  const metadata = async () => (await heron.api(`${path}/metadata`)).metadata;
  await otter.at('details-toggle').click();
  await (await otter.sees('key-input')).fill('severity');
  await otter.at('value-input').fill('high');
  await otter.page.keyboard.press('Enter');
  await until('the key', async () => (await metadata()).severity === 'high');
  await otter.page.locator('#key-severity').fill('low');
  await otter.page.keyboard.press('Enter');
  await until('its other value', async () => (await metadata()).severity === 'low');
  await heron.post(`${path}/metadata`, { metadata: { severity: 'none' } }, { id: 'clerk', name: 'Clerk' });
  await until('what somebody else wrote', async () => (await otter.page.locator('#key-severity').inputValue()) === 'none');
  await otter.at('details-panel').getByRole('button', { name: 'Remove severity' }).click();
  await until('no key', async () => !('severity' in (await metadata())));
  await otter.at('details-toggle').click();
});

test('a theme that is picked shows, and is kept', async () => {
  const ground = () => otter.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await otter.at('footer-identity').click();
  await otter.sees('settings');
  await otter.page.getByLabel('Dark', { exact: true }).check();
  await until('dark', async () => (await ground()) !== light);
  const dark = await ground();
  await otter.page.keyboard.press('Escape');
  // The address that is opened has the token, which the page takes out of it.
  await otter.page.goto('about:blank');
  await otter.page.goto(otter.peer.url);
  await otter.sees('board');
  await until('dark still', async () => (await ground()) === dark);
});

test('somebody is found by their address', async () => {
  const fox = await Peer.start();
  try {
    await otter.at('leave-room').click();
    const [, port] = /\/tcp\/(\d+)/.exec(fox.listen[0]);
    await otter.at('dial-input').fill(`127.0.0.1:${port}`);
    await otter.at('dial').click();
    await until('the two linked', async () => (await fox.api('/peers')).peers.length === 1);
    await otter.page.getByText(/^Connected/).first().waitFor();
  } finally {
    await fox.stop();
  }
});

test('nothing went wrong on the way', () => assert.deepEqual(otter.page.troubles, []));

const shelf = (number) => otter.page.locator(`[data-note="n${number}"]`).first();
const zoomOf = (viewport, board) => board.width / viewport.w;

async function drag(from, to) {
  await otter.page.mouse.move(from.x, from.y);
  await otter.page.mouse.down();
  await otter.page.mouse.move(to.x, to.y, { steps: 6 });
  await otter.page.mouse.up();
}

/** Pixels of the map that are red, as a frame of that colour is over the board. */
async function reds() {
  const { data } = PNG.sync.read(await otter.page.locator('.corner canvas').screenshot());
  let count = 0;
  for (let at = 0; at < data.length; at += 4) count += data[at] > 190 && data[at + 1] < 140 && data[at + 2] < 150;
  return count;
}
