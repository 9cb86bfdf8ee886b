// What people made of a room is there when everybody has left and one comes back: a title, a note that both had a hand in,
// and what was said. Two real windows, closed and opened again; also what the window alone has, its local API.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const ROOM = 'harbour';
const KEY = { enter: '\uE007', escape: '\uE00C' };
const PEOPLE = { first: 'Quiet Otter', second: 'Brave Heron' };

const rig = new Rig();
after(() => rig.end());

const text = (window, id) => window.page.texts(one(id));
const reads = (window, id, words) =>
  until(`${id} to say ${words}`, async () => (await text(window, id)).join(' | '), 10_000, (found) => words.test(found));

describe('a room that outlives its windows', () => {
  const window = {};

  const introduce = async (profile) => {
    window[profile] = await rig.open(profile, { args: ['--room', ROOM] });
    const { page } = window[profile];
    await page.see(one('first-run'));
    await page.type(one('name-input'), PEOPLE[profile]);
    await page.click(one('first-run-start'));
    await page.see(one('board'));
  };

  before(async () => {
    await introduce('first');
    await introduce('second');
    await until('both to be here', async () => (await window.first.page.texts(one('avatar'))).length === 2);
  });

  it('takes a note that one writes and the other moves', async () => {
    const { page } = window.first;
    await page.move(one('board'), [[-120, -80]]);
    await page.press('n');
    await page.drag(one('board'), [[-120, -80], [-120, -80]]);
    await page.type(one('note-field'), 'Ask the harbour');
    await page.press(KEY.escape);
    await reads(window.second, 'note', /Ask the harbour/);
    const before = (await page.place(one('note'))).x;
    await window.second.page.drag(one('note'), [[0, 0], [160, 60]]);
    await until('the note to move in the other window', async () => (await page.place(one('note'))).x - before, 10_000, (by) => by > 140);
    await window.first.shoot('note');
  });

  it('carries what is said, and a new title', async () => {
    for (const profile of ['first', 'second']) await window[profile].page.click(one('messages-toggle'));
    await window.second.page.type(one('message-input'), 'I have the key to the cable room');
    await window.second.page.press(KEY.enter);
    await reads(window.first, 'message-log', /key to the cable room/);
    await window.first.page.type(one('message-input'), 'On my way');
    await window.first.page.press(KEY.enter);
    await reads(window.second, 'message-log', /On my way/);
    await window.first.page.click(one('room-title'));
    await window.first.page.type(one('title-input'), 'Power is out');
    await window.first.page.press(KEY.enter);
    await reads(window.second, 'room-title', /Power is out/);
    const titles = async () => (await window.second.screen.x11.windows()).map(({ title }) => title).join();
    await until('the window to be called so', titles, 10_000, (said) => /Power is out.* · Parlor · second/.test(said));
    await window.second.shoot('messages');
  });

  it('saves its board and its messages as files', async () => {
    const { page } = window.first;
    const saved = async (menu, choice, ending) => {
      await page.click(one(menu));
      await page.click(`[data-choice="${choice}"]`);
      const told = new RegExp(`Saved: (.*\\.${ending})`);
      const said = await until('where it is', async () => (await page.texts('.note')).join(' '), 10_000, (words) => told.test(words));
      const place = told.exec(said.replaceAll(/[\u2066-\u2069]/g, ''))[1];
      const file = readFileSync(place);
      rmSync(place);
      await page.click('.note button');
      return file;
    };
    const board = await saved('board-menu', 'save-markdown', 'md');
    assert.match(board.toString(), /^# Power is out\n\n- Ask the harbour/);
    const picture = await saved('board-menu', 'save-picture', 'png');
    assert.equal(picture.subarray(1, 4).toString(), 'PNG');
    const messages = await saved('messages-menu', 'export', 'md');
    assert.match(messages.toString(), /key to the cable room[\s\S]*On my way/);
  });

  it('answers programs once its local API is switched on', async () => {
    const api = path.join(rig.profileDir('first'), 'api.json');
    assert.equal(existsSync(api), false, 'it is off until somebody wants it');
    const { page } = window.first;
    const shown = await page.js('return window.__TAURI_INTERNALS__.invoke("set_local_api", { choice: { on: true, port: 0 } })');
    const { url, token } = rig.read('first', 'api.json');
    assert.deepEqual([shown.url, shown.token], [url, token]);
    const ask = (headers) => fetch(`${url}/rooms/${ROOM}/messages`, { headers });
    assert.equal((await ask({})).status, 401);
    const { messages } = await (await ask({ Authorization: `Bearer ${token}` })).json();
    assert.deepEqual(messages.map(({ data }) => data.text), ['On my way', 'I have the key to the cable room']);
  });

  it('has it all when everybody left and one comes back', async () => {
    for (const profile of ['second', 'first']) {
      await window[profile].close();
      await window[profile].ended(5_000);
    }
    assert.equal(existsSync(path.join(rig.profileDir('first'), 'api.json')), false, 'the API went with its window');
    window.second = await rig.open('second', { args: ['--room', ROOM] });
    await reads(window.second, 'note', /Ask the harbour/);
    await reads(window.second, 'room-title', /Power is out/);
    if ((await text(window.second, 'message-log')).length === 0) await window.second.page.click(one('messages-toggle'));
    await reads(window.second, 'message-log', /key to the cable room[\s\S]*On my way/);
    assert.equal((await window.second.page.texts(one('avatar'))).length, 1, 'nobody else is there');
    await window.second.shoot('back');
  });
});
