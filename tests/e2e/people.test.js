/**
 * People looking together: three of them, each on a peer of their own, follow one another, call each other, and find
 * things by name. The tests build on each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { isAccessible } from './accessible.js';
import { launch, openPage, picture } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Deck plan';

let browser, otter, heron, wren;

before(async () => {
  browser = await launch();
  otter = await arrive('Quiet Otter');
  heron = await arrive('Calm Heron', otter);
  wren = await arrive('Merry Wren', otter, heron);
  for (const person of [otter, heron, wren]) await person.introduce();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  for (const person of [heron, wren]) {
    await person.at('join-room-input').fill(room);
    await person.at('join-room').click();
  }
  for (const person of [otter, heron, wren]) {
    await person.sees('board');
    for (const other of [otter, heron, wren]) await person.sees('avatar', other);
  }
});

after(async () => {
  for (const person of [otter, heron, wren]) await person?.leave();
  await browser?.close();
});

test('a click on a face follows, and the other sees it', async () => {
  await look(otter, 'ArrowRight', 'ArrowDown', 'ArrowDown');
  await heron.at('avatar', otter).click();
  await heron.reads('following', /Following Quiet Otter/, otter);
  assert.ok(await heron.at('follow-frame').isVisible());
  await looksWith(heron, otter);
  await otter.reads('followers', /Calm Heron follows you/);
  await look(otter, 'ArrowLeft', '-');
  await looksWith(heron, otter);
  await picture(heron.page, 'following');
  await picture(otter.page, 'followed');
});

test('it ends with the own hand, and with Esc', async () => {
  await look(heron, 'ArrowUp');
  await heron.seesNo('following');
  await otter.seesNo('followers');
  await heron.page.keyboard.press('Alt+1');
  await heron.sees('following', otter);
  await looksWith(heron, otter);
  await heron.page.keyboard.press('Escape');
  await heron.seesNo('following');
  const before = await viewport(heron);
  await look(otter, 'ArrowLeft', 'ArrowUp');
  assert.deepEqual(await viewport(heron), before, 'who let go stays where they are');
});

// W2
test('a chain goes all the way, and a loop stands still', async () => {
  await heron.at('avatar', otter).click();
  await wren.at('avatar', heron).click();
  await look(otter, '+', 'ArrowRight', 'ArrowRight');
  await looksWith(heron, otter);
  await looksWith(wren, heron);

  await otter.at('avatar', wren).click();
  for (const person of [otter, heron, wren])
    await until(`${person.name} stands still`, () => person.page.getByText('You follow each other').first().isVisible());
  const before = await Promise.all([otter, heron, wren].map(viewport));
  await picture(wren.page, 'follow-loop');
  // Whoever moves leaves the loop, and the others have somebody to follow again.
  await look(otter, 'ArrowDown', '-');
  await otter.seesNo('following');
  await looksWith(heron, otter);
  await looksWith(wren, heron);
  assert.notDeepEqual(await viewport(wren), before[2]);
});

test('who lets nobody follow says so, and is not followed', async () => {
  await setSwitch(otter, 'no-follow', true);
  await heron.seesNo('following');
  await says(heron, /Quiet Otter no longer lets others follow/);
  await heron.at('avatar', otter).click();
  await says(heron, /Quiet Otter lets nobody follow/);
  assert.equal(await heron.at('following').count(), 0);
  assert.deepEqual((await heron.member(room, otter)).presence.private, { follow: true });
  await setSwitch(otter, 'no-follow', false);
  await until('the wish is taken back', async () => (await heron.member(room, otter)).presence.private === undefined);
});

test('a hidden cursor is not sent', async () => {
  const board = await otter.board();
  await otter.page.mouse.move(board.x + 300, board.y + 300);
  await until('the cursor', async () => (await heron.member(room, otter)).presence.cursor);
  await setSwitch(otter, 'no-cursor', true);
  await otter.page.mouse.move(board.x + 400, board.y + 300, { steps: 5 });
  await until('no cursor', async () => (await heron.member(room, otter)).presence.cursor === null);
  await otter.page.mouse.move(board.x + 420, board.y + 350, { steps: 5 });
  await otter.reads('footer-identity', /your cursor is hidden/);
  // What is said later overtakes nothing that was said before.
  await look(otter, 'ArrowLeft');
  assert.equal((await heron.member(room, otter)).presence.cursor, null);
  await setSwitch(otter, 'no-cursor', false);
});

test('others may be called here, and each answers for themselves', async () => {
  await look(otter, 'ArrowRight', 'ArrowRight', '-');
  await otter.page.keyboard.press('g');
  await says(otter, /2 people are asked to come here/);
  for (const person of [heron, wren]) await person.reads('gather-call', /Quiet Otter asks you to come and look here/);
  await picture(heron.page, 'gather');
  const before = await viewport(wren);
  await wren.at('gather-not-now').click();
  await heron.at('gather-go').click();
  await looksWith(heron, otter);
  assert.deepEqual(await viewport(wren), before);
  for (const person of [heron, wren]) await person.seesNo('gather-call');
  await otter.page.keyboard.press('g');
  await says(otter, /You asked a moment ago/);
});

// W1
test('following ends with a word when the other leaves', async () => {
  await heron.at('avatar', wren).click();
  await heron.sees('following', wren);
  await wren.at('leave-room').click();
  await heron.seesNo('following');
  await says(heron, /Merry Wren left, so you are not following anybody now/);
  await picture(heron.page, 'follow-left');
});

test('nothing went wrong on the way', () => {
  for (const person of [otter, heron, wren]) assert.deepEqual(person.page.troubles, []);
});

/** A page into which the tool that looks for barriers may come. */
async function arrive(name, ...others) {
  const peer = await Peer.start(...others.map((other) => other.peer));
  return new Person(name, peer, await openPage(browser, peer.url, { bypassCSP: true }));
}

const viewport = async (person) => (await person.member(room, person)).presence.viewport;

/** Moves one's own view by keys, and waits until the own peer knows it. */
async function look(person, ...keys) {
  const before = await viewport(person);
  await person.at('board').first().focus();
  for (const key of keys) await person.page.keyboard.press(key);
  await until(`${person.name} looks elsewhere`, async () => JSON.stringify(await viewport(person)) !== JSON.stringify(before));
}

/** That two windows, which have one size here, show the same part of the board. */
async function looksWith(person, other) {
  let story;
  await until(`${person.name} looks with ${other.name}`, async () => {
    const [own, theirs] = [await viewport(person), await viewport(other)];
    story = { own, theirs };
    return ['x', 'y', 'w', 'h'].every((key) => Math.abs(own[key] - theirs[key]) <= 2);
  }).catch((error) => {
    error.message += ` ${JSON.stringify(story)}`;
    throw error;
  });
}

async function says(person, words) {
  await until(`${person.name} is told ${words}`, () => person.page.getByText(words).first().isVisible());
}

async function setSwitch(person, id, on) {
  await person.at('footer-identity').click();
  await (await person.sees(id)).setChecked(on);
  await person.page.keyboard.press('Escape');
  await person.seesNo('settings');
}
