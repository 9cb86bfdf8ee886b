/**
 * The hosts of a private room: what only they can do, who becomes one, and what somebody sees whom they put out. Each
 * person has a peer of their own; what one does is looked for in the windows of the others.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { isAccessible } from './accessible.js';
import { launch, openPage, picture } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Crisis team';
const at = `/rooms/${encodeURIComponent(room)}`;

let browser, otter, heron, wren, ticket;

before(async () => {
  browser = await launch();
  otter = await arrive('Quiet Otter');
  heron = await arrive('Brisk Heron', otter);
  wren = await arrive('Merry Wren', otter, heron);
  for (const person of [otter, heron, wren]) await person.introduce();
  await otter.page.getByLabel('Private', { exact: true }).check();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await otter.sees('board');
  ({ ticket } = (await otter.peer.post(`${at}/ticket`, {})).body);
  for (const person of [heron, wren]) await come(person, ticket);
});

after(async () => {
  for (const person of [otter, heron, wren]) await person?.leave();
  await browser?.close();
});

test('everybody sees who made the room, and only they have a say over others', async () => {
  for (const person of [otter, heron, wren]) {
    await person.at('people-toggle').click();
    for (const one of [otter, heron, wren]) await person.sees('member-row', one);
    await person.reads('member-row', /Creator/, otter);
  }
  assert.equal(await otter.at('host-controls').count(), 2);
  assert.equal(await heron.at('host-controls').count(), 0);
});

test('a lock of the creator holds the others, who read why', async () => {
  await otter.at('room-title').click();
  await (await otter.sees('title-input')).fill('Power cut');
  await otter.page.keyboard.press('Enter');
  await heron.reads('room-title', /Power cut/);
  // Before it is locked the lock itself is not for the others.
  assert.equal(await heron.at('lock-chip').getAttribute('aria-disabled'), 'true');
  await heron.at('lock-chip').click({ force: true });
  await heron.page.getByText('Only hosts can lock this room.', { exact: true }).first().waitFor();

  await otter.at('lock-chip').click();
  await heron.reads('lock-chip', /Locked/);
  await heron.at('room-title').click({ force: true });
  await heron.page.getByText('A host has locked this room. Only hosts can change it now.').first().waitFor();
  await heron.seesNo('title-input');
  await heron.at('lock-chip').click({ force: true });
  await heron.at('details-toggle').click();
  await heron.sees('details-locked');
  assert.equal(await heron.at('key-input').isVisible(), false);
  await isAccessible(heron, 'hosts-locked');
  // Nor does the peer take it, whatever a window offers.
  assert.equal((await heron.peer.post(`${at}/metadata`, { metadata: { title: 'Mine' } })).body.code, 'ROOM_LOCKED');
  assert.equal((await heron.peer.post(`${at}/metadata`, { metadata: { locked: false } })).body.code, 'FORBIDDEN');

  // A host goes on.
  await otter.at('room-title').click();
  await (await otter.sees('title-input')).fill('Power cut, part two');
  await otter.page.keyboard.press('Enter');
  await heron.reads('room-title', /part two/);
});

test('the creator makes a host, who can then unlock', async () => {
  await otter.at('member-row', heron).locator('[data-testid=host-controls]').click();
  await isAccessible(otter, 'hosts-menu');
  await choice(otter, 'host').click();
  for (const person of [otter, wren]) await person.reads('member-row', /Host/, heron);
  await heron.page.getByText('You are a host now').first().waitFor();
  await heron.at('lock-chip').click();
  await until('the lock off', async () => (await otter.at('lock-chip').getAttribute('data-locked')) === 'false');
  await wren.page.getByText('Brisk Heron unlocked this room').first().waitFor();
});

test('the menu is walked by keys, and Escape closes it alone', async () => {
  await otter.at('member-row', wren).locator('[data-testid=host-controls]').focus();
  await otter.page.keyboard.press('Enter');
  await until('the first choice', () => focused(otter, 'follow'));
  await otter.page.keyboard.press('ArrowUp');
  await until('the last choice', () => focused(otter, 'put-out'));
  await otter.page.keyboard.press('Escape');
  await until('no menu', async () => (await otter.page.locator('[role=menu]:visible').count()) === 0);
  await otter.sees('people-panel');
});

test('who is put out reads what happened, and sees nothing that comes after', async () => {
  const asked = [];
  wren.page.on('request', (request) => asked.push(request.url()));
  wren.page.on('websocket', (socket) => asked.push(socket.url()));
  await heron.at('people-toggle').click();
  await heron.at('member-row', wren).locator('[data-testid=host-controls]').click();
  await choice(heron, 'put-out').click();
  await heron.reads('decision-sheet', /The room gets a new key, and Merry Wren does not/);
  await heron.at('also-strike').check();
  await isAccessible(heron, 'hosts-put-out');
  await heron.at('decide').click();

  await wren.sees('out-of-room');
  await wren.reads('out-of-room', /A host changed the key of this room, and you did not get the new one/);
  for (const person of [otter, heron]) {
    const who = person === heron ? 'You' : 'Brisk Heron';
    await person.page.getByText(`${who} changed the key; Merry Wren is out`).first().waitFor();
    await until('no row', async () => (await person.members(room)).length === 2);
  }
  await otter.reads('member-row', /put out/, wren);
  await picture(otter.page, 'hosts-told');
  await isAccessible(wren, 'hosts-out');

  // The others go on, and the one who is out learns nothing of it and asks for nothing of the room.
  asked.length = 0;
  await otter.at('room-title').click();
  await (await otter.sees('title-input')).fill('Without the wren');
  await otter.page.keyboard.press('Enter');
  await heron.reads('room-title', /Without the wren/);
  const refused = await wren.peer.post(`${at}/join`, {});
  assert.equal(refused.body.code, 'FORBIDDEN');
  assert.doesNotMatch(`${await wren.page.title()} ${await wren.page.textContent('body')}`, /Without the wren/);
  // The page lives on meanwhile; a feed that was lost would have been tried again long before.
  await until('two more looks at the profile', () => asked.filter((url) => url.endsWith('/profile')).length > 1);
  assert.deepEqual(asked.filter((url) => url.includes('/rooms/')), []);
});

test('it is known who is out, and what they wrote can be restored', async () => {
  await otter.at('details-toggle').click();
  const row = otter.at('keyholder', wren);
  await otter.sees('keyholder', wren);
  assert.equal(await row.getAttribute('data-inside'), 'false');
  assert.equal(await row.getAttribute('data-voided'), 'true');
  await isAccessible(otter, 'hosts-details');
  await row.locator('[data-testid=host-controls]').click();
  await choice(otter, 'restore').click();
  await until('it counts again', async () => (await row.getAttribute('data-voided')) === 'false');
});

test('an old ticket says why it is none any more, and a new one lets in again', async () => {
  await wren.at('out-ticket').fill('please');
  await wren.at('out-use').click();
  await wren.reads('out-of-room', /This is no ticket/);
  await wren.at('out-ticket').fill(ticket);
  await wren.at('out-use').click();
  await (await wren.sees('ticket-join')).click();
  await wren.page.getByText(/key was changed after this ticket was given/).waitFor();
  await wren.page.keyboard.press('Escape');
  const fresh = (await otter.peer.post(`${at}/ticket`, {})).body.ticket;
  await wren.at('out-ticket').fill(fresh);
  await wren.at('out-use').click();
  await (await wren.sees('ticket-join')).click();
  await wren.sees('board');
  await wren.reads('room-title', /Without the wren/);
  await until('three again', async () => (await otter.members(room)).length === 3);
});

test('a changed key makes what was given before worth nothing, and what is shown new', async () => {
  for (const person of [otter, wren]) await person.at('invite').click();
  const [before, hers] = await Promise.all([otter, wren].map(shown));
  await isAccessible(otter, 'hosts-invite');
  await otter.at('change-key-ask').click();
  await otter.reads('change-key', /Who was invited and has not come in yet needs the new ticket/);
  await otter.at('change-key-sure').click();
  await otter.reads('change-key', /Only what is shown here works now/);
  await until('a new ticket', async () => (await shown(otter)) !== before);
  // Also in the window of somebody else who has it open.
  await until('a new ticket, over there', async () => (await shown(wren)) !== hers);
  assert.equal(await wren.at('change-key').count(), 0, 'that is for hosts');
  await isAccessible(otter, 'hosts-key-changed');
  await wren.page.getByText('Quiet Otter changed the key').first().waitFor();
  assert.equal((await wren.members(room)).length, 3, 'everyone stays');
});

test('nothing went wrong on the way', () => {
  for (const person of [otter, heron]) assert.deepEqual(person.page.troubles, []);
  // The browser itself reports the answer to the old ticket, and the end of the stream.
  for (const trouble of wren.page.troubles) assert.match(trouble, /status of 40[03]|WebSocket/);
});

/** The tool that looks for what people cannot use is no part of the page, so its policy must let it in here. */
async function arrive(name, ...others) {
  const peer = await Peer.start(...others.map((other) => other.peer));
  return new Person(name, peer, await openPage(browser, peer.url, { bypassCSP: true, reducedMotion: 'reduce' }));
}

async function come(person, ticket) {
  await person.at('join-room-input').fill(ticket);
  await person.at('join-room').click();
  await (await person.sees('ticket-join')).click();
  await person.sees('board');
}

async function shown(person) {
  return (await person.sees('invite-ticket')).inputValue();
}

const choice = (person, id) => person.page.locator(`[data-choice="${id}"]:visible`);

const focused = (person, id) => choice(person, id).evaluate((button) => button === document.activeElement);
