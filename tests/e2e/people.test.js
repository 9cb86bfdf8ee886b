/**
 * People looking together: three of them, each on a peer of their own, follow one another, call each other, and find
 * things by name. The tests build on each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

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

test('what a start loads stays small', async () => {
  const page = await openPage(browser, 'about:blank');
  const scripts = [];
  page.on('response', (response) => {
    if (/javascript/.test(response.headers()['content-type'] ?? '')) scripts.push(response.body());
  });
  await page.goto(otter.peer.url);
  await page.getByTestId('home').waitFor();
  const bytes = (await Promise.all(scripts)).map((body) => gzipSync(body).length).reduce((a, b) => a + b, 0);
  await page.context().close();
  assert.ok(bytes > 20_000 && bytes < 150_000, `${bytes} bytes of JavaScript, packed`);
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
    await until(`${person.name} stands still`, () =>
      person.page.getByText('You follow each other').first().isVisible(),
    );
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

test('the cursors of others are hidden by a key, in this window alone', async () => {
  const board = await otter.board();
  const point = () => otter.page.mouse.move(board.x + 250 + Math.random() * 80, board.y + 250);
  await until('the cursor', async () => (await point(), heron.at('cursor', otter).first().isVisible()));
  await heron.page.keyboard.press('Shift+C');
  await until('no cursor', async () => !(await heron.at('cursor', otter).first().isVisible()));
  assert.ok((await heron.member(room, otter)).presence.cursor, 'it is still told');
  await heron.page.keyboard.press('Shift+C');
  await until('the cursor again', async () => (await point(), heron.at('cursor', otter).first().isVisible()));
});

test('others may be called here, and each answers for themselves', async () => {
  await look(otter, 'ArrowRight', 'ArrowRight', '-');
  await otter.page.keyboard.press('g');
  await says(otter, /2 people are asked to come here/);
  await otter.page.keyboard.press('g');
  await says(otter, /You asked a moment ago/);
  for (const person of [heron, wren]) await person.reads('gather-call', /Quiet Otter asks you to come and look here/);
  await picture(heron.page, 'gather');
  await isAccessible(heron, 'gather');
  await wren.page.keyboard.press('Escape');
  await wren.seesNo('following');
  const before = await viewport(wren);
  await wren.at('gather-not-now').click();
  await heron.at('gather-go').click();
  await looksWith(heron, otter);
  assert.deepEqual(await viewport(wren), before);
  for (const person of [heron, wren]) await person.seesNo('gather-call');
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

test('the list says how somebody is, and follows', async () => {
  await heron.page.keyboard.press('m');
  await heron.sees('member-row', otter);
  await heron.at('gather').click();
  await says(heron, /1 person is asked to come here/);
  await otter.reads('gather-call', /Calm Heron asks you/);
  await otter.at('gather-not-now').click();
  await row(heron, otter).getByTestId('person-menu').click();
  await row(heron, otter).locator('[data-choice="follow"]').click();
  await heron.sees('following', otter);
  // One's own words may be chosen; the others read them, and the table for readers has them too.
  await otter.page.keyboard.press('m');
  await row(otter, otter).getByTestId('status-choices').click();
  await row(otter, otter).getByText('Busy', { exact: true }).click();
  await heron.reads('member-row', /Busy/, otter);
  await row(otter, heron).getByText('follows you').waitFor();
  await picture(otter.page, 'people-list');
  await isAccessible(otter, 'people-list');
  await heron.page.keyboard.press('Escape');
});

test('who is silent is grey, and a click says why', async () => {
  // Stopped and not ended: its links stay open, and nothing comes through them.
  otter.peer.process.kill('SIGSTOP');
  try {
    await until(
      'grey',
      async () => (await heron.at('member-row', otter).first().getAttribute('data-state')) === 'stale',
    );
    await heron.reads('member-row', /reconnecting…/, otter);
    await row(heron, otter).getByTestId('why-grey').click();
    await heron.reads('why-grey-text', /Quiet Otter/, otter);
    await picture(heron.page, 'why-grey');
  } finally {
    otter.peer.process.kill('SIGCONT');
  }
  await until(
    'back',
    async () => (await heron.at('member-row', otter).first().getAttribute('data-state')) === 'active',
  );
  await heron.seesNo('why-grey-text');
});

test('a peer of one’s own that hangs is told, and so is that it is back', async () => {
  const bar = () => heron.at('connection-bar');
  heron.peer.process.kill('SIGSTOP');
  try {
    await until('the bar', async () => (await bar().getAttribute('data-phase')) === 'amber', 20_000);
    await heron.reads('connection-bar', /Reconnecting…/);
    await picture(heron.page, 'connection-amber');
  } finally {
    heron.peer.process.kill('SIGCONT');
  }
  await until('it is back', async () => (await bar().getAttribute('data-phase')) === 'back', 20_000);
  await heron.seesNo('connection-bar');
  await until(
    'the other is heard',
    async () => (await heron.at('member-row', otter).first().getAttribute('data-state')) === 'active',
  );
});

test('anything is found by its name, with the keys alone', async () => {
  const { page } = heron;
  await page.keyboard.press('Control+k');
  await heron.sees('palette-input');
  await page.keyboard.type('follow quiet');
  await until('the person first', async () => /Follow Quiet Otter/.test(await marked(page)));
  await picture(page, 'palette');
  await isAccessible(heron, 'palette');
  await page.keyboard.press('Enter');
  await heron.sees('following', otter);
  await heron.seesNo('palette');

  // Arrows walk the list, around its end too; Esc leaves everything as it is.
  await page.keyboard.press('Control+k');
  await heron.sees('palette-input');
  const first = await marked(page);
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await marked(page), first);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowDown');
  assert.equal(await marked(page), first);
  await page.keyboard.type('zzzz');
  await until('nothing but a room', async () => /Open or start the room “zzzz”/.test(await marked(page)));
  await page.keyboard.press('Escape');
  await heron.seesNo('palette');
  await heron.sees('following', otter);
  await page.keyboard.press('Escape');
  await heron.seesNo('following');
});

test('rooms are gone to by name, and a ticket is asked about', async () => {
  const { page } = heron;
  await heron.peer.post('/rooms', { room: 'Side room' });
  await page.keyboard.press('Control+k');
  await heron.sees('palette-input');
  await page.keyboard.type('side room');
  await until('the room is known', async () => /Go to the room “Side room”/.test(await marked(page)));
  await page.keyboard.press('Enter');
  await heron.reads('room-title', /Side room/);
  await heron.sees('avatar', heron);

  const { ticket } = (await otter.peer.post(`/rooms/${encodeURIComponent(room)}/ticket`, {})).body;
  await page.keyboard.press('Control+k');
  await (await heron.sees('palette-input')).fill(ticket);
  await until('the ticket', async () => /Use this ticket/.test(await marked(page)));
  await page.keyboard.press('Enter');
  await heron.sees('ticket-sheet');
  await page.keyboard.press('Escape');
  await heron.seesNo('ticket-sheet');

  // A name that is not known may be a room's all the same.
  await page.keyboard.press('Control+k');
  await (await heron.sees('palette-input')).fill(room);
  await page.keyboard.press('ArrowUp');
  assert.match(await marked(page), /Open or start the room “Deck plan”/);
  await page.keyboard.press('Enter');
  await heron.reads('room-title', new RegExp(room));
  await heron.sees('avatar', otter);
  await page.keyboard.press('m');
  await heron.sees('member-row', otter);
});

test('the sheet of shortcuts has every key that the palette shows', async () => {
  const { page } = heron;
  await page.keyboard.press('Control+k');
  await heron.sees('palette-input');
  const shown = await page
    .locator('[data-testid="palette"] [data-action]:has(kbd)')
    .evaluateAll((rows) =>
      rows.map((one) => [one.dataset.action, [...one.querySelectorAll('kbd')].map((cap) => cap.textContent).join(' ')]),
    );
  await page.keyboard.press('Escape');
  await heron.seesNo('palette');
  await page.keyboard.press('?');
  await heron.sees('shortcuts');
  const listed = new Map(
    await page
      .locator('[data-testid="shortcuts"] [data-action]')
      .evaluateAll((rows) =>
        rows.map((one) => [
          one.dataset.action,
          [...one.querySelectorAll('kbd')].map((cap) => cap.textContent).join(' '),
        ]),
      ),
  );
  assert.ok(shown.length > 10, 'the palette shows keys');
  // People have one row together: Alt with the number of their place.
  const ofPeople = ([, keys]) => /^Alt \d$/.test(keys);
  for (const [action, keys] of shown.filter((one) => !ofPeople(one))) assert.equal(listed.get(action), keys, action);
  assert.ok(shown.some(ofPeople));
  assert.match(listed.get('follow-nth'), /^Alt 1/);
  await isAccessible(heron, 'shortcuts');
  await page.keyboard.press('Escape');
  await heron.seesNo('shortcuts');
});

test('the language changes in the room, and everything in it', async () => {
  await heron.at('footer-identity').click();
  await heron.sees('settings');
  await isAccessible(heron, 'settings');
  await heron.page.getByLabel('Deutsch', { exact: true }).check();
  await until('German', async () => (await heron.page.locator('html').getAttribute('lang')) === 'de');
  await heron.page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  await heron.page.keyboard.press('Escape');
  await heron.seesNo('settings');
  await heron.reads('footer-identity', /Du bist Calm Heron/);
  await heron.reads('member-row', /\(du\)/, heron);
  assert.ok(await heron.at('avatar', otter).isVisible(), 'nobody left for it');
  await heron.page.keyboard.press('Control+k');
  await heron.sees('palette-input');
  await heron.page.keyboard.type('sprache english');
  await heron.page.keyboard.press('Enter');
  await heron.reads('footer-identity', /You are Calm Heron/);
});

test('a browser that speaks German is spoken to in German, and nothing is cut at 720 pixels', async () => {
  const page = await openPage(browser, otter.peer.url, { locale: 'de-DE', viewport: { width: 720, height: 480 } });
  try {
    await page.getByTestId('home').waitFor();
    await picture(page, 'german-home');
    assert.deepEqual(await cutIn(page), []);
    await page.getByTestId('try-sample').click();
    await page.getByTestId('sample-bar').getByText('Das ist ein Beispiel. Niemand sonst sieht es.').waitFor();
    for (const [keys, name] of [
      ['m', 'people'],
      ['i', 'details'],
      ['?', 'shortcuts'],
      ['Control+,', 'settings'],
      ['Control+k', 'palette'],
    ]) {
      await page.keyboard.press(keys);
      await until(name, () =>
        page
          .getByTestId(/people-panel|details-panel|shortcuts|settings|palette/)
          .last()
          .isVisible(),
      );
      await picture(page, `german-${name}`);
      assert.deepEqual(await cutIn(page), [], name);
      if (name !== 'people' && name !== 'details') {
        await page.keyboard.press('Escape');
        await until('closed', async () => (await page.locator('dialog[open]').count()) === 0);
      }
    }
    assert.deepEqual(page.troubles, []);
  } finally {
    await page.context().close();
  }
});

test('the sample room has people who do things, and nobody on the network sees it', async () => {
  const { page } = wren;
  await wren.at('try-sample').click();
  await wren.reads('sample-bar', /This is a sample\. Nobody else sees it\./);
  await until('three people', async () => (await wren.at('avatar').count()) === 4);
  await wren.reads('footer-identity', /nobody sees you here/);
  assert.equal(await wren.at('invite').count(), 0);
  const cursors = page.locator('[data-testid="cursor"]:visible');
  await until('their cursors', async () => (await cursors.count()) >= 2);
  const places = () => cursors.evaluateAll((all) => all.map((one) => one.style.transform).join());
  const before = await places();
  await until('they move', async () => (await places()) !== before);
  await page.keyboard.press('Alt+1');
  await wren.sees('following');
  await isAccessible(wren, 'sample');
  await picture(page, 'sample');
  const known = async (person) => (await person.peer.api('/rooms')).rooms.map((one) => one.room);
  assert.ok(!(await known(wren)).some((name) => /sample/i.test(name)));
  assert.ok(!(await known(heron)).some((name) => /sample/i.test(name)));

  await wren.at('leave-sample').click();
  await wren.sees('home');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(kept, /sample/i, 'nothing of it stays');
});

test('two fingers move and zoom, and one draws', async () => {
  const page = await openPage(browser, heron.peer.url, { hasTouch: true, viewport: { width: 720, height: 480 } });
  try {
    await page.getByTestId('try-sample').click();
    await page.getByTestId('board').waitFor();
    const zoom = () => page.locator('.percent').innerText();
    assert.match(await zoom(), /100/);
    const touches = await page.context().newCDPSession(page);
    const send = (type, ...spots) =>
      touches.send('Input.dispatchTouchEvent', { type, touchPoints: spots.map(([x, y], id) => ({ x, y, id })) });
    await send('touchStart', [300, 200]);
    await send('touchStart', [300, 200], [400, 200]);
    for (let step = 1; step <= 10; step++) await send('touchMove', [300 - step * 5, 200], [400 + step * 5, 200]);
    await send('touchEnd');
    await until('twice as near', async () => /200/.test(await zoom()));
    // One finger marks nothing by having been the first of two.
    assert.equal(await page.getByTestId('own-selection').isVisible(), false);
    await page.keyboard.press('p');
    await send('touchStart', [200, 300]);
    const inked = () =>
      page.locator('canvas.ink').evaluate((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
      });
    let step = 0;
    await until('ink under the finger', async () => {
      step += 1;
      await send('touchMove', [200 + (step % 20) * 8, 300 + (step % 3) * 8]);
      return inked();
    });
    await send('touchEnd');
    assert.deepEqual(page.troubles, []);
  } finally {
    await page.context().close();
  }
});

test('a window that was closed in a room opens there again, and not when it was left', async () => {
  // The browser keeps what this window remembers, as the desktop's does.
  const context = await browser.newContext({ locale: 'en-GB' });
  const open = async () => {
    const page = await context.newPage();
    await page.goto(heron.peer.url);
    return page;
  };
  try {
    const first = await open();
    await first.getByTestId('room-card').filter({ hasText: room }).first().click();
    await first.getByTestId('board').waitFor();
    await first.close();
    const second = await open();
    await second.getByTestId('board').waitFor();
    await second.getByTestId('leave-room').click();
    await second.getByTestId('home').waitFor();
    await second.close();
    const third = await open();
    await third.getByTestId('home').waitFor();
  } finally {
    await context.close();
  }
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
  await until(
    `${person.name} looks elsewhere`,
    async () => JSON.stringify(await viewport(person)) !== JSON.stringify(before),
  );
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

const row = (person, other) => person.at('member-row', other).first();

/** What the palette would do on Enter. */
const marked = (page) => page.locator('[data-testid="palette"] [aria-selected="true"]').textContent();

/** Words of the interface that do not fit where they stand. What people wrote may be cut, and says so by an ellipsis. */
function cutIn(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, h1, h2, h3, dt, label, p, kbd, input')]
      .filter((one) => one.checkVisibility() && one.closest('.for-readers, bdi, [data-testid="room-title"]') === null)
      .filter((one) => {
        const style = getComputedStyle(one);
        const cuts = style.overflowX !== 'visible' || one instanceof HTMLInputElement;
        const wide = one.scrollWidth > one.clientWidth + 1;
        const box = one.getBoundingClientRect();
        const outside = box.right > innerWidth + 1 || box.left < -1;
        return (cuts && wide) || outside;
      })
      .map((one) => `${one.tagName} ${one.textContent || one.placeholder}`),
  );
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
