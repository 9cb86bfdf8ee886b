/**
 * A private room, from its making to the first guest: one person makes it and copies the ticket, the other is asked
 * before it is used, and somebody who knows only the name is alone in another room.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Board meeting';

let browser, otter, heron, stranger, ticket;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  // It knows nobody: where the room's people are is in the ticket.
  heron = await Person.arrive(browser, 'Brisk Heron');
  stranger = await Person.arrive(browser, 'Lone Fox', otter);
  for (const person of [otter, heron, stranger]) await person.introduce();
  // Who comes by ticket cannot see which colours are taken.
  for (const person of [otter, heron]) await person.peer.post('/profile', { color: '#ab4cc0' });
});

after(async () => {
  for (const person of [otter, heron, stranger]) await person?.leave();
  await browser?.close();
});

test('a private room is made, and says that it is one', async () => {
  await otter.page.getByLabel('Private', { exact: true }).check();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await otter.sees('board');
  await otter.sees('private-mark');
  await otter.page.getByText('Nobody sees this room without a ticket').waitFor();
  await picture(otter.page, 'private-room');
});

test('the ticket is copied from the invitation, beside its link and its code', async () => {
  await otter.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await otter.at('invite').click();
  await otter.sees('invite-sheet');
  await otter.reads('invite-sheet', /Whoever has this ticket can come in, read everything and invite others/);
  await (await otter.sees('invite-ticket-copy')).click();
  await otter.reads('invite-sheet', /Copied/);
  ticket = await copied(otter);
  assert.match(ticket, /^parlor:[a-z2-7]{60,}$/);
  await otter.at('invite-link-copy').click();
  await until('the link', async () => /^parlor:\/\/join\/[a-z2-7]{60,}$/.test(await copied(otter)));
  const { width, height } = await otter.at('qr').boundingBox();
  assert.ok(width > 180 && width === height, `the code is ${width} by ${height}`);
  for (const colorScheme of ['light', 'dark']) {
    await otter.page.emulateMedia({ colorScheme });
    await picture(otter.page, `invite-${colorScheme}`);
    const paper = await otter.page.locator('[data-testid=qr] rect').evaluate((rect) => getComputedStyle(rect).fill);
    assert.equal(paper, 'rgb(255, 255, 255)', colorScheme);
  }
  await otter.page.emulateMedia({ colorScheme: 'light' });
  await otter.page.keyboard.press('Escape');
  await otter.seesNo('invite-sheet');
});

test('a ticket is asked about before anything is joined, and Enter joins', async () => {
  await heron.at('join-room-input').fill(` <${ticket}>`);
  await heron.page.keyboard.press('Enter');
  await heron.sees('ticket-sheet');
  await heron.page.getByText(`Join the private room “${room}”?`).waitFor();
  await heron.reads('ticket-sheet', new RegExp(`Made by.*${otter.id}.*Invited by.*${otter.id}.*cannot prove`, 's'));
  await picture(heron.page, 'ticket-question');
  assert.deepEqual((await heron.peer.api('/rooms')).rooms, []);

  await heron.page.keyboard.press('Escape');
  await heron.seesNo('ticket-sheet');
  assert.deepEqual((await heron.peer.api('/rooms')).rooms, []);

  await heron.at('join-room-input').fill(ticket);
  await heron.page.keyboard.press('Enter');
  await heron.sees('ticket-sheet');
  await heron.page.keyboard.press('Enter');
  await heron.sees('board');
  await heron.sees('private-mark');
});

test('both see both, in colours of their own', async () => {
  for (const person of [otter, heron]) {
    await person.sees('avatar', otter);
    await person.sees('avatar', heron);
  }
  await until('two colours', async () => {
    const [one, two] = (await otter.members(room)).map((member) => member.presence.color);
    return one && two && one !== two;
  });
  const { presence } = await otter.member(room, heron);
  assert.equal(presence.name, 'Brisk Heron');
});

test('who knows only the name is alone in an open room', async () => {
  await until('the two are linked', async () => (await stranger.peer.api('/peers')).peers.length > 0);
  assert.equal(await stranger.at('room-card').count(), 0, 'the room is not told to the network');
  await stranger.at('join-room-input').fill(room);
  await stranger.at('join-room').click();
  await stranger.sees('board');
  await stranger.page.getByText(`Anyone on this network sees “${room}”`).waitFor();
  await stranger.seesNo('private-mark');
  assert.equal((await stranger.members(room)).length, 1);
  assert.equal((await otter.members(room)).length, 2);
});

test('a ticket that cannot be used says why, where it was given', async () => {
  await stranger.at('leave-room').click();
  await stranger.at('join-room-input').fill(ticket.slice(0, -1));
  await stranger.at('join-room').click();
  await stranger.page.getByText('The ticket is damaged').waitFor();
  await picture(stranger.page, 'ticket-damaged');
  await stranger.seesNo('ticket-sheet');
});

test('a ticket pasted as the name of a room names none', async () => {
  await stranger.at('start-room-input').fill(ticket);
  await stranger.at('start-room').click();
  await stranger.sees('ticket-sheet');
  assert.deepEqual((await stranger.peer.api('/rooms')).rooms.map((known) => known.room), [room]);
  await stranger.page.keyboard.press('Escape');
});

test('a picture of the code is as good as the ticket', async () => {
  await otter.at('invite').click();
  const code = await (await otter.sees('qr')).screenshot();
  await otter.page.keyboard.press('Escape');
  const show = (buffer, mimeType = 'image/png') =>
    stranger.at('code-picture').setInputFiles({ name: 'picture', mimeType, buffer });
  for (const [buffer, why] of [
    [await stranger.page.screenshot(), /There is no code in this picture/],
    [Buffer.from('a text'), /This is no picture that can be read/],
  ]) {
    await show(buffer);
    await stranger.page.getByText(why).waitFor();
  }
  await show(code);
  await stranger.sees('ticket-sheet');
  await stranger.page.getByRole('heading', { name: room }).waitFor();
  await stranger.page.keyboard.press('Escape');
  await stranger.seesNo('ticket-sheet');
  // One that is pasted goes the same way.
  await stranger.page.evaluate((bytes) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([new Uint8Array(bytes)], 'code.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, [...code]);
  await stranger.sees('ticket-sheet');
  await picture(stranger.page, 'ticket-from-picture');
  await stranger.page.keyboard.press('Escape');
  await stranger.seesNo('ticket-sheet');
});

test('who invites into an open room is offered a private one', async () => {
  await stranger.at('start-room-input').fill('Town hall');
  await stranger.at('start-room').click();
  await stranger.sees('board');
  await (await stranger.sees('invite')).click();
  await stranger.reads('invite-sheet', /Anyone on this network sees this room anyway/);
  await stranger.at('invite-privately').click();
  await stranger.reads('invite-sheet', /Whoever has this ticket can come in, read everything and invite others/);
  await stranger.sees('qr');
  const { rooms } = await stranger.peer.api('/rooms');
  const made = rooms.find((known) => known.room === 'Town hall (private)');
  assert.deepEqual([made?.private, made?.joined], [true, true]);
  await stranger.page.keyboard.press('Escape');
  await stranger.seesNo('invite-sheet');
});

test('the list marks it, and forgetting its key asks', async () => {
  await heron.at('leave-room').click();
  const card = heron.at('room-card').filter({ hasText: room });
  await until('the mark', async () => (await card.getByRole('img', { name: 'Private room' }).count()) === 1);
  await picture(heron.page, 'home-private');
  // Coming back takes no ticket.
  await card.click();
  await heron.sees('avatar', otter);
  await heron.at('leave-room').click();
  // As long as somebody is in it, it is not of the past.
  await otter.at('leave-room').click();
  await until('a room of the past', async () => (await heron.page.getByLabel('Forget this room').count()) === 1);
  await card.hover();
  await heron.page.getByLabel('Forget this room').click();
  await heron.page.getByText('Its key is forgotten too').waitFor();
  await heron.at('forget-private').click();
  await until('no room', async () => (await heron.peer.api('/rooms')).rooms.length === 0);
});

test('nothing went wrong on the way', () => {
  for (const person of [otter, heron]) assert.deepEqual(person.page.troubles, []);
  // The browser itself reports the answer to the damaged ticket.
  for (const trouble of stranger.page.troubles) assert.match(trouble, /status of 400/);
});

const copied = (person) => person.page.evaluate(() => navigator.clipboard.readText());
