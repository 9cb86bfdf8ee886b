/**
 * A room that is shared to browsers: one person switches it on in the invitation, somebody without Parlor opens the link, and
 * a third person on a peer of their own sees the guest, and is seen. Then it is ended. The tests build on each other.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { axe, serious } from './accessible.js';
import { launch, openPage, picture } from './browser.js';
import { SIZES } from './modes.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Deck 3';
const LINK = /^http:\/\/127\.0\.0\.1:\d+\/#[a-z2-7]{26}$/;

let browser, otter, heron, wren, phone, link;

/** What a page has not whose address is of the network and not encrypted. Browsers take loopback for safe, so it is taken. */
function insecure() {
  Object.defineProperty(globalThis, 'isSecureContext', { value: false });
  Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined });
  Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });
  Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });
}

/** A browser of its own that opens the link. */
async function comes(name, address = link, options = {}) {
  const page = await openPage(browser, 'about:blank', options);
  await page.addInitScript(insecure);
  await page.goto(address);
  return new Person(name, null, page);
}

async function enters(guest) {
  await guest.sees('first-run');
  await guest.at('name-input').fill(guest.name);
  await guest.at('first-run-start').click();
  await guest.sees('board');
  guest.id = (await guest.page.evaluate(async () => (await fetch('/session')).json())).userId;
  assert.match(guest.id, /^u_/);
}

/** Out of the room as heron's peer knows it, and a while later out of sight. */
async function isGone(guest) {
  await until('out of the room', async () => (await heron.member(room, guest)) === undefined);
  await until('out of sight', async () => (await heron.at('avatar', guest).count()) === 0, 20_000);
}

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
  for (const person of [otter, heron]) await person.introduce();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await heron.at('join-room-input').fill(room);
  await heron.at('join-room').click();
  await otter.sees('avatar', heron);
  await heron.sees('avatar', otter);
});

after(async () => {
  for (const guest of [wren, phone]) await guest?.page.context().close();
  for (const person of [otter, heron]) await person?.leave();
  await browser?.close();
});

test('a room is shared by one switch, which is off, and says what that means', async () => {
  await otter.at('invite').click();
  const off = await otter.sees('share-switch');
  assert.equal(await off.isChecked(), false);
  assert.equal(await otter.at('share-on').count(), 0);
  await otter.reads('invite-sheet', /only into this room.*is not encrypted: others on the network could read along/);
  await off.click();
  await otter.sees('share-on');
  assert.equal(await otter.at('share-switch').isChecked(), true);
  link = await otter.at('share-link').inputValue();
  assert.match(link, LINK);
  const { width, height } = await otter.at('share-on').locator('[data-testid=qr]').boundingBox();
  assert.ok(width > 120 && width === height, `the code is ${width} by ${height}`);
  await otter.reads('share-guests', /Nobody has come/);
  await picture(otter.page, 'share-on');
  await otter.page.keyboard.press('Escape');
});

test('from the link to a name in the room it is a moment, and nothing of the link stays', async () => {
  wren = await comes('Merry Wren');
  await wren.sees('first-run');
  await wren.reads('first-run', /You come in as a guest of.*Quiet Otter/);
  await wren.reads('not-encrypted', /not encrypted.*read what you see and write here, or act in your place/);
  await picture(wren.page, 'guest-first-run');
  await enters(wren);
  await heron.sees('avatar', wren);
  assert.equal(new URL(wren.page.url()).hash, '');
  assert.deepEqual(await wren.page.evaluate(() => [document.cookie, isSecureContext]), ['', false]);
  await wren.reads('footer-not-encrypted', /not encrypted/);
});

test('a guest has the room and nothing beside it', async () => {
  for (const id of ['invite', 'home', 'room-card']) await wren.seesNo(id);
  await wren.page.keyboard.press('Control+k');
  await wren.sees('palette');
  for (const none of [/network/i, /sample/i, /invite/i, /back home/i])
    assert.equal(await wren.at('palette').getByText(none).count(), 0, String(none));
  await wren.page.keyboard.press('Escape');
  await wren.seesNo('palette');
  await wren.at('footer-identity').click();
  await wren.sees('settings');
  for (const none of ['local-api', 'open-last']) await wren.seesNo(none);
  await wren.page.keyboard.press('Escape');
  await wren.seesNo('settings');
});

test('everybody sees whose guest it is', async () => {
  for (const person of [otter, heron]) {
    await person.at('people-toggle').click();
    await person.sees('people-panel');
    await until('whose guest it is', async () =>
      /guest of.*Quiet Otter/.test((await person.at('member-row', wren).locator('[data-testid=guest]').textContent()) ?? ''),
    );
  }
  await picture(heron.page, 'guest-in-people');
  const { actor, verified } = await heron.member(room, wren);
  assert.deepEqual([actor.kind, actor.name, actor.via, verified], ['guest', 'Merry Wren', otter.id, false]);
});

test('cursors go both ways', async () => {
  for (const [from, to] of [[wren, heron], [heron, wren]]) {
    const board = await from.board();
    await from.page.mouse.move(board.x + 200, board.y + 200);
    await from.page.mouse.move(board.x + 260, board.y + 240, { steps: 6 });
    await to.sees('cursor', from);
  }
});

test('a note of the guest is on every board, and theirs are on the guest’s', async () => {
  const board = await wren.board();
  await wren.page.keyboard.press('n');
  await wren.page.mouse.click(board.x + 300, board.y + 260);
  await (await wren.sees('note-field')).pressSequentially('From a browser', { delay: 10 });
  await until('the note, there', () => heron.at('note').filter({ hasText: 'From a browser' }).first().isVisible());
  await heron.reads('note-writer', /Merry Wren is editing/, wren);
  await wren.page.keyboard.press('Escape');
  await heron.peer.post(`/rooms/${encodeURIComponent(room)}/board`, { set: [{ id: 'h', text: 'From a peer', x: 60, y: 160 }] });
  await until('the note, here', () => wren.at('note').filter({ hasText: 'From a peer' }).first().isVisible());
});

test('typing and words go both ways', async () => {
  for (const person of [wren, heron]) {
    await person.at('messages-toggle').click();
    await person.sees('messages-panel');
  }
  for (const [from, to] of [[wren, heron], [heron, wren]]) {
    await from.at('message-input').focus();
    await from.page.keyboard.type(`Here is ${from.name}`, { delay: 10 });
    await to.reads('typing-line', new RegExp(`${from.name} is typing`));
    await from.page.keyboard.press('Enter');
    await until('the words', () => to.at('message').filter({ hasText: `Here is ${from.name}` }).first().isVisible());
  }
  await picture(wren.page, 'guest-room');
});

test('a page that is loaded anew is the same guest', async () => {
  await wren.page.reload();
  await wren.sees('board');
  await heron.sees('avatar', wren);
  assert.equal((await wren.page.evaluate(async () => (await fetch('/session')).json())).userId, wren.id);
});

test('a telephone is a guest too', async () => {
  phone = await comes('Bold Lynx', link, { ...SIZES.telephone, hasTouch: true, locale: 'de-DE' });
  await phone.sees('first-run');
  await phone.reads('not-encrypted', /nicht verschlüsselt/);
  await picture(phone.page, 'guest-phone-first-run');
  await enters(phone);
  await heron.sees('avatar', phone);
  await picture(phone.page, 'guest-phone-room');
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(wide, 0, 'nothing is wider than the telephone');
  await otter.at('invite').click();
  await otter.reads('share-guests', /2 guests by browser: .*Merry Wren.*Bold Lynx/);
  await otter.page.keyboard.press('Escape');
});

test('what a guest sees can be used by everybody', async () => {
  const other = await comes('Calm Badger', link, { bypassCSP: true, reducedMotion: 'reduce' });
  for (const [screen, shown] of [['guest-first-run', 'first-run'], ['guest-room', 'board']]) {
    if (screen === 'guest-room') await enters(other);
    await other.sees(shown);
    for (const colorScheme of ['light', 'dark']) {
      await other.page.emulateMedia({ colorScheme });
      await other.page.evaluate(axe);
      assert.deepEqual(await serious(other.page), [], `${screen}, ${colorScheme}`);
    }
  }
  await other.at('leave-room').click();
  await other.reads('guest-over', /You left the room/);
  await isGone(other);
  await other.at('guest-back').click();
  await other.sees('board');
  await heron.sees('avatar', other);
  await other.page.context().close();
  await isGone(other);
});

test('a wrong link comes to a calm page', async () => {
  const other = await comes('Lone Fox', `${link.slice(0, -26)}${'a'.repeat(26)}`);
  await other.reads('guest-over', /not shared any more.*With a new link/);
  await other.page.context().close();
  const none = await comes('Lone Fox', link.split('#')[0]);
  await none.reads('guest-over', /not shared any more/);
  await none.page.context().close();
  await otter.at('invite').click();
  await otter.reads('share-refused', /1 attempt to come in was refused/);
  await otter.page.keyboard.press('Escape');
});

test('sharing is ended, and every guest is out of every window', async () => {
  const here = async () => (await heron.members(room)).length;
  await until('four', async () => (await here()) === 4);
  await otter.at('invite').click();
  await otter.sees('share-on');
  await otter.at('share-switch').click();
  await until('two', async () => (await here()) === 2);
  await otter.seesNo('share-on');
  for (const guest of [wren, phone]) {
    await guest.sees('guest-over');
    await isGone(guest);
  }
  await picture(wren.page, 'guest-over');
  await picture(phone.page, 'guest-phone-over');
  await assert.rejects(fetch(link.split('#')[0]));
  for (const guest of [wren, phone]) assert.deepEqual(guest.page.troubles, []);
});

test('what is encrypted is so on the way, and says nothing else', async () => {
  await otter.at('share-encrypt').click();
  await otter.at('share-switch').click();
  await otter.sees('share-fingerprint');
  assert.match(await otter.at('share-fingerprint').textContent(), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  const secret = await otter.at('share-link').inputValue();
  assert.match(secret, /^https:/);
  assert.equal(await otter.at('invite-sheet').getByText('not encrypted').count(), 0);
  await picture(otter.page, 'share-encrypted');
  const page = await openPage(browser, secret, { ignoreHTTPSErrors: true });
  const other = new Person('Keen Ibex', null, page);
  await other.sees('first-run');
  await other.seesNo('not-encrypted');
  await enters(other);
  await heron.sees('avatar', other);
  await other.seesNo('footer-not-encrypted');
  await otter.at('share-encrypt').click();
  await other.reads('guest-over', /not shared any more/);
  await until('a link without', async () => /^http:/.test(await otter.at('share-link').inputValue()));
  await otter.at('share-switch').click();
  await otter.seesNo('share-on');
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});
