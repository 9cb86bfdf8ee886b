/**
 * What people say in a room: two people on a peer each, a third part of the room that was away, and somebody whose every
 * message is meant to be more than words. The tests build on each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Deck 3';
const at = `/rooms/${encodeURIComponent(room)}`;

let browser, otter, heron;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
  for (const person of [otter, heron]) await person.introduce();
  await otter.at('start-room-input').fill(room);
  await otter.at('start-room').click();
  await heron.at('join-room-input').fill(room);
  await heron.at('join-room').click();
  for (const person of [otter, heron]) await person.sees('avatar', person === otter ? heron : otter);
});

after(async () => {
  for (const person of [otter, heron]) await person?.leave();
  await browser?.close();
});

test('what one says the other reads, and is told of before', async () => {
  await write(otter, 'Power is out on deck 3.');
  await until('one unread', async () => (await heron.at('unread-badge').textContent()) === '1');
  assert.match(await heron.page.title(), /^\(1\) /);
  await picture(heron.page, 'messages-unread');
  await open(heron);
  await reads(heron, /Power is out on deck 3\./);
  await heron.seesNo('unread-badge');
  assert.doesNotMatch(await heron.page.title(), /^\(/);
  assert.equal(await message(otter, /Power/).getAttribute('data-self'), 'true');
  assert.equal(await message(heron, /Power/).getAttribute('data-self'), 'false');
  assert.equal(await message(heron, /Power/).getAttribute('data-member'), otter.id);
  assert.match(await heron.at('message-group').last().textContent(), /Quiet Otter/);
  assert.match(await otter.at('message-group').last().textContent(), /\(you\)/);
});

test('typing shows above the composer, and ends with what was said', async () => {
  await otter.at('message-input').focus();
  await otter.page.keyboard.type('Generator', { delay: 20 });
  await heron.reads('typing-line', /Quiet Otter is typing/);
  await picture(heron.page, 'messages-typing');
  await otter.page.keyboard.press('Shift+Enter');
  await otter.page.keyboard.type('two is silent');
  await otter.page.keyboard.press('Enter');
  await heron.reads('typing-line', /^$/);
  await reads(heron, /Generator\ntwo is silent/);
  assert.equal(await otter.at('message-input').inputValue(), '');
});

test('an answer leads to what it answers', async () => {
  await act(heron, /Power is out/, 'message-reply');
  await heron.reads('replying', /Reply to Quiet Otter.*Power is out/s);
  await heron.page.keyboard.type('On my way');
  await heron.page.keyboard.press('Enter');
  await reads(otter, /On my way/);
  const quote = message(otter, /On my way/).locator('[data-testid=reply-quote]');
  assert.match(await quote.textContent(), /Quiet Otter.*Power is out/s);
  await quote.click();
  await until('the answered message has the focus', async () =>
    /Power is out/.test(await otter.page.evaluate(() => document.activeElement?.closest('article')?.textContent ?? '')),
  );
  // Whoever is answered is called.
  assert.equal(await message(otter, /On my way/).getAttribute('data-mention'), 'true');
});

test('a name is called with few keys, and whoever is called sees it from afar', async () => {
  await otter.at('messages-toggle').click();
  await otter.seesNo('messages-panel');
  await heron.at('message-input').focus();
  await heron.page.keyboard.type('Ask @qui');
  await heron.reads('mention-list', /Quiet Otter/);
  await picture(heron.page, 'messages-calling');
  await heron.page.keyboard.press('Enter');
  await heron.page.keyboard.type('please');
  assert.equal(await heron.at('message-input').inputValue(), 'Ask @Quiet Otter please');
  await heron.page.keyboard.press('Enter');
  await until('a badge that calls', async () => (await otter.at('unread-badge').textContent()) === '@1');
  await otter.page.keyboard.press('t');
  await reads(otter, /Ask @Quiet Otter please/);
  await otter.sees('new-line');
  assert.equal(await message(otter, /Ask/).getAttribute('data-mention'), 'true');
  assert.equal(await message(heron, /Ask/).getAttribute('data-mention'), 'false');
  await until('the key T leads to the composer', () =>
    otter.page.evaluate(() => document.activeElement?.dataset.testid === 'message-input'),
  );
  await picture(otter.page, 'messages-called');
});

test('a pin is everybody’s', async () => {
  await choose(otter, /Power is out/, 'pin');
  await heron.reads('pins', /Quiet Otter.*Power is out/s);
  await choose(heron, /On my way/, 'pin');
  await until('both pins, the newest first', async () => /On my way/.test(await otter.at('pin').first().textContent()));
  await otter.at('pins-toggle').click();
  await until('two pins', async () => (await otter.at('pin').count()) === 2);
  await picture(otter.page, 'messages-pins');
  await otter.at('unpin').first().click();
  await until('one pin', async () => (await heron.at('pin').count()) === 1);
  await heron.reads('pins', /Power is out/);
  const { metadata } = await otter.peer.api(`${at}/metadata`);
  assert.equal(metadata.pins.length, 1);
});

test('a reaction shows with both and passes', async () => {
  await act(heron, /Power is out/, 'message-react');
  await heron.page.locator('[data-emoji="👍"]:visible').click();
  for (const person of [otter, heron]) await person.reads('message-reactions', /👍/);
  await picture(otter.page, 'messages-reaction');
  await otter.seesNo('message-reactions');
  assert.ok((await history(otter)).every(({ type }) => type === 'chat'));
});

test('a reaction of nobody’s message stands where its sender points', async () => {
  const board = await otter.board();
  await otter.page.mouse.move(board.x + 300, board.y + 200);
  await until('the cursor is known', async () => (await heron.member(room, otter)).presence.cursor != null);
  await otter.at('react').click();
  await otter.page.locator('[data-emoji="🎉"]:visible').click();
  for (const person of [otter, heron]) await person.sees('reaction', otter);
  await picture(heron.page, 'messages-burst');
  for (const person of [otter, heron]) await person.seesNo('reaction');
});

test('what could not be sent stays, is tried again, and is there once', async () => {
  const calls = '**/messages';
  // The first time nothing reaches the peer; the second time only the answer is lost.
  await otter.page.route(calls, (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await write(otter, 'Said without a line');
  await until('it failed', async () => (await otter.at('pending-message').getAttribute('data-failed')) === 'true');
  await picture(otter.page, 'messages-failed');
  assert.equal((await history(otter)).filter(({ data }) => data.text === 'Said without a line').length, 0);
  await otter.page.unroute(calls);
  await otter.page.route(calls, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    await route.abort();
  });
  await otter.at('send-again').click();
  await reads(heron, /Said without a line/);
  await otter.seesNo('pending-message');
  await otter.page.unroute(calls);
  await until('once with both', async () => {
    const counts = await Promise.all([otter, heron].map((person) => message(person, /Said without a line/).count()));
    return counts.every((count) => count === 1);
  });
  assert.equal((await history(heron)).filter(({ data }) => data.text === 'Said without a line').length, 1);
  otter.page.troubles = otter.page.troubles.filter((trouble) => !/ERR_FAILED/.test(trouble));
});

test('the limit is told before it is reached, in bytes', async () => {
  const field = otter.at('message-input');
  await field.fill('ä'.repeat(2_000));
  await otter.reads('message-room', /96 bytes left/);
  await field.fill('ä'.repeat(2_049));
  await otter.reads('message-room', /Too long by 2 bytes/);
  await otter.page.keyboard.press('Enter');
  assert.equal(await otter.at('send-message').isDisabled(), true);
  assert.equal(await otter.at('pending-message').count(), 0);
  await picture(otter.page, 'messages-limit');
  await field.fill('ä'.repeat(2_048));
  await otter.page.keyboard.press('Enter');
  await until('as long as may be', async () => (await history(heron)).some(({ data }) => data.text.length === 2_048));
});

test('two parts of a room that were apart have it all when they meet, once and in order', async () => {
  const far = await Person.arrive(browser, 'Far Ibex');
  try {
    await far.introduce();
    await far.at('join-room-input').fill(room);
    await far.at('join-room').click();
    await until('far is in', async () => (await far.members(room)).length === 1);
    await otter.at('messages-toggle').click();
    await otter.seesNo('messages-panel');
    // They speak by turns, each to their own part.
    for (let turn = 0; turn < 6; turn++) {
      const speaker = turn % 2 === 0 ? far : heron;
      await say(speaker.peer, `apart ${turn}`);
    }
    assert.ok((await history(far)).length === 3 && (await history(otter)).every(({ data }) => !/apart [024]/.test(data.text)));
    await open(far);
    await far.peer.post('/peers', { addr: otter.peer.listen[0] });
    const all = [0, 1, 2, 3, 4, 5].map((turn) => `apart ${turn}`);
    for (const person of [far, otter, heron]) {
      await until(`${person.name} has it all`, async () => {
        const said = (await history(person)).map(({ data }) => data.text).filter((text) => text.startsWith('apart')).reverse();
        return JSON.stringify(said) === JSON.stringify(all);
      }, 30_000);
    }
    // What came late and in the past is to be read as well.
    await until('what is unread', async () => Number((await otter.at('unread-badge').textContent()) ?? 0) === 6);
    await open(otter);
    for (const person of [far, otter, heron]) {
      await until(`${person.name} sees it all`, async () => {
        const texts = (await person.at('message-text').allTextContents()).filter((text) => text.startsWith('apart'));
        return JSON.stringify(texts) === JSON.stringify(all);
      });
    }
    await until('all read', async () => (await otter.at('unread-badge').count()) === 0);
    await picture(otter.page, 'messages-met');
    assert.deepEqual(far.page.troubles, []);
  } finally {
    await far.leave();
  }
});

test('what came late and out of view is shown the way to', async () => {
  const far = await Person.arrive(browser, 'Lone Wren');
  try {
    await far.introduce();
    await far.at('join-room-input').fill(room);
    await far.at('join-room').click();
    await until('the wren is in', async () => (await far.members(room)).length === 1);
    await say(far.peer, 'said long before');
    for (let i = 0; i < 30; i++) await say(heron.peer, `since then ${i}`);
    await open(otter);
    await reads(otter, /since then 29/);
    if ((await otter.at('to-newest').count()) > 0) await otter.at('to-newest').click();
    await otter.seesNo('unread-badge');
    await far.peer.post('/peers', { addr: otter.peer.listen[0] });
    await otter.reads('unread-above', /1 unread above/);
    await picture(otter.page, 'messages-late');
    await otter.at('unread-above').click();
    await until('it has the focus', () =>
      otter.page.evaluate(() => /said long before/.test(document.activeElement?.closest('article')?.textContent ?? '')),
    );
    await otter.seesNo('unread-above');
    await otter.seesNo('unread-badge');
    assert.deepEqual(far.page.troubles, []);
  } finally {
    await far.leave();
  }
});

test('whoever comes back is told what was said meanwhile', async () => {
  await otter.at('leave-room').click();
  await otter.sees('home');
  // Nobody is told of what they missed in a moment.
  await otter.page.evaluate(() => {
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith('parlor-read:'))) {
      const kept = JSON.parse(localStorage.getItem(key));
      localStorage.setItem(key, JSON.stringify({ ...kept, leftAt: kept.leftAt - 60_000 }));
    }
  });
  for (const text of ['one for later', 'two for later']) await say(heron.peer, text);
  await until('they are at the own peer', async () => (await history(otter)).some(({ data }) => data.text === 'two for later'));
  await otter.at('room-card').filter({ hasText: room }).first().click();
  await otter.sees('board');
  await otter.page.getByText('While you were away: 2 messages from Brisk Heron').first().waitFor();
  await picture(otter.page, 'messages-away-note');
  await open(otter);
  await otter.reads('away-bar', /2 messages from Brisk Heron.*since \d\d:\d\d/s);
  await picture(otter.page, 'messages-away');
  await otter.seesNo('unread-badge');
  await otter.at('away-jump').click();
  await otter.seesNo('away-bar');
  await until('the first of them has the focus', () =>
    otter.page.evaluate(() => /one for later/.test(document.activeElement?.closest('article')?.textContent ?? '')),
  );
});

test('a long log comes page by page, and stays where one reads', async () => {
  await otter.at('leave-room').click();
  for (let i = 0; i < 230; i++) await say(heron.peer, `long ${i}`);
  await until('all of them', async () => (await history(otter)).some(({ data }) => data.text === 'long 229'), 30_000);
  await otter.at('room-card').filter({ hasText: room }).first().click();
  await otter.sees('board');
  await until('a hundred and more', async () => (await otter.at('unread-badge').textContent()) === '99+');
  await open(otter);
  await otter.sees('new-line');
  await otter.at('to-newest').click();
  await otter.seesNo('to-newest');
  await otter.seesNo('unread-badge');
  await reads(otter, /long 229/);
  // Whoever has read all begins at the end.
  await otter.at('leave-room').click();
  await otter.at('room-card').filter({ hasText: room }).first().click();
  await otter.sees('board');
  await open(otter);
  await reads(otter, /long 229/);
  await otter.seesNo('new-line');
  await otter.seesNo('to-newest');
  const log = otter.at('message-log');
  const loaded = await otter.at('message').count();
  assert.ok(loaded <= 150, `only what is near is loaded, not ${loaded}`);
  // Up, until the oldest is there; what is read stays in its place while older ones come in above.
  const moves = [];
  await until('the beginning', async () => {
    moves.push(...(await scrollUp(log, 400)));
    return /This is where it begins/.test(await log.textContent()) && (await log.evaluate((box) => box.scrollTop)) === 0;
  }, 30_000);
  assert.deepEqual(moves.filter((move) => move < -1 || move > 401), [], 'the place is never lost');
  await reads(otter, /Power is out on deck 3\./);
  await otter.sees('to-newest');
  await picture(otter.page, 'messages-begin');
  // Somebody who reads what was is not thrown to the end.
  await say(heron.peer, 'meanwhile');
  await otter.reads('to-newest', /1 new message/);
  assert.equal(await log.evaluate((box) => box.scrollTop), 0);
  await otter.at('to-newest').click();
  await reads(otter, /meanwhile/);
});

test('the whole log is saved as a file', async () => {
  const [download] = await Promise.all([
    otter.page.waitForEvent('download'),
    (async () => {
      await otter.at('messages-menu').click();
      await otter.page.locator('[data-choice=export]:visible').click();
    })(),
  ]);
  assert.match(download.suggestedFilename(), /^Deck-3\.md$/);
  const text = await readFile(await download.path(), 'utf8');
  assert.match(text, /^# Messages of Deck 3/);
  assert.match(text, /Power is out on deck 3\./);
  assert.match(text, /long 0\n[^]*long 229\n/);
});

test('who wants to be notified is, while they look elsewhere', async () => {
  const { page } = otter;
  await page.evaluate(() => {
    globalThis.notified = [];
    globalThis.Notification = class {
      static permission = 'default';
      static async requestPermission() {
        globalThis.asked = (globalThis.asked ?? 0) + 1;
        return (this.permission = 'granted');
      }
      constructor(title, { body }) {
        globalThis.notified.push({ title, body, click: () => this.onclick?.() });
      }
      close() {}
    };
  });
  const attention = (there) =>
    page.evaluate((there) => {
      document.hasFocus = () => there;
      dispatchEvent(new Event(there ? 'focus' : 'blur'));
    }, there);
  const notified = () => page.evaluate(() => globalThis.notified.map(({ title, body }) => `${title}: ${body}`));
  await attention(false);
  await say(heron.peer, 'nobody asked for this');
  await reads(otter, /nobody asked/);
  assert.equal(await page.evaluate(() => globalThis.asked), undefined, 'nobody is asked unbidden');
  await otter.at('notify-open').click();
  await otter.at('notify').locator('input[value=mentions]').check();
  await until('asked', async () => (await page.evaluate(() => globalThis.asked)) === 1);
  await picture(page, 'messages-notify');
  await page.keyboard.press('Escape');
  await say(heron.peer, 'not for you');
  await say(heron.peer, 'for you, @quiet otter');
  await until('one notification', async () => (await notified()).length === 1);
  assert.deepEqual(await notified(), ['Brisk Heron: for you, @quiet otter']);
  await until('three unread', async () => (await otter.at('unread-badge').textContent()) === '@3');
  await attention(true);
  await page.evaluate(() => globalThis.notified[0].click());
  await otter.seesNo('unread-badge');
  await say(heron.peer, '@Quiet Otter is here');
  await reads(otter, /is here/);
  await write(otter, '@Brisk Heron yes');
  await reads(heron, /yes/);
  assert.equal((await notified()).length, 1, 'nothing for whoever looks');
});

test('settings that somebody changed over one’s own can be taken back', async () => {
  await setMetadata(otter.peer, { phone: '112' });
  await setMetadata(heron.peer, { phone: '110', mode: 'class' });
  await otter.page.getByText('Brisk Heron changed “phone”').first().waitFor();
  await otter.page.keyboard.press('Escape');
  await otter.at('details-toggle').click();
  await until('the changes', async () => (await otter.at('setting-change').count()) >= 3);
  await picture(otter.page, 'messages-changes');
  const change = otter.page.locator('[data-testid=setting-change][data-key=phone]').first();
  assert.match(await change.textContent(), /112.*110.*Brisk Heron/s);
  await change.locator('[data-testid=take-back]').click();
  await until('the number of before', async () => (await settings(heron)).phone === '112');
  // What does not stand any more cannot be taken back.
  await until('no way to undo it twice', async () => (await otter.page.locator('[data-testid=setting-change][data-key=phone]').nth(1).locator('[data-testid=take-back]').count()) === 0);
  await otter.page.getByText('changed the mode').first().waitFor();
});

test('hostile messages are words, in their place', async () => {
  await open(otter);
  const mallory = await Peer.start(otter.peer);
  const requests = [];
  otter.page.on('request', (request) => requests.push(request.url()));
  otter.page.on('dialog', (dialog) => {
    otter.page.troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  try {
    await mallory.post(`${at}/join`, { presence: { name: '\u202eevil <b>name</b>' } });
    // What is said before somebody is linked may come after what is said then.
    for (const peer of [otter.peer, mallory]) {
      await until('all three', async () => (await peer.api(`${at}/members`)).total === 3, 20_000);
    }
    const { body } = await mallory.post(`${at}/messages`, { type: 'chat', data: { text: `Z${'\u0301'.repeat(10_000)}` }, keep: true });
    assert.equal(body.code, 'PAYLOAD_TOO_LARGE');
    const hit = 'globalThis.evil=(globalThis.evil??0)+1';
    const texts = [
      `<img class=evil src=x onerror="${hit}">`,
      `<script class=evil>${hit}</script><iframe class=evil srcdoc="x"></iframe>`,
      `<a class=evil href="javascript:${hit}">click</a> javascript:${hit}// data:text/html,<script>${hit}</script>`,
      '\u202eturned around\u2066\u2067 and https://good.example/\u202egnp.exe',
      `Zalgo ${'\u0335\u0489\u0300\u0301\u0310\u0323\u032e\u0361\u20dd'.repeat(200)} end`,
      `${'\u0301'.repeat(2_000)}`,
      '\u200b\u2060\ufeff',
      'W'.repeat(4_000),
      '\n'.repeat(2_000) + 'after many lines',
      'a\n'.repeat(2_000),
      'https://good.example@evil.example/ and https://\u0430pple.example/login',
      '\u2067\u202e\u202b@Quiet Otter',
      'דנה (1) https://a.example/',
      '{{constructor.constructor("x")()}} ${hit}',
    ];
    for (const text of texts) await say(mallory, text);
    const odd = [
      { type: 'chat' },
      { type: 'chat', data: { text: 7 } },
      { type: 'chat', data: { text: 'an answer', replyTo: '"]<img class=evil>' } },
      { type: '<img class=evil>', data: { '<b>': ['x'.repeat(2_000)] } },
      { type: '\u202eother', data: 'x' },
    ];
    for (const one of odd) {
      const { status, body: said } = await mallory.post(`${at}/messages`, { ...one, keep: true });
      assert.ok([200, 201].includes(status), JSON.stringify(said));
    }
    for (const emoji of ['<img class=evil src=x>', 'x'.repeat(2_000), `😀${'\u0301'.repeat(100)}`, 7]) {
      await mallory.post(`${at}/messages`, { type: 'reaction', data: { emoji, message: 'x' }, keep: false });
    }
    await setMetadata(mallory, { pins: ['"]<img class=evil>', 7, null, ...Array.from({ length: 40 }, (_, i) => `m${i}`)] });
    const last = 'the last word';
    await say(mallory, last);
    await reads(otter, /the last word/);
    await otter.at('message-log').evaluate((box) => box.scrollTo(0, box.scrollHeight));
    for (const [place, scheme] of ['light', 'dark'].entries()) {
      await otter.page.emulateMedia({ colorScheme: scheme });
      await picture(otter.page, `messages-hostile-${place}`);
    }
    await otter.page.emulateMedia({ colorScheme: 'light' });
    await otter.at('message-log').evaluate((box) => (box.scrollTop -= 900));
    await picture(otter.page, 'messages-hostile-above');
    const found = await otter.page.evaluate(look);
    assert.deepEqual(found.made, [], 'elements were made of text');
    assert.deepEqual(found.turned, [], 'words are turned around');
    assert.deepEqual(found.outside, [], 'words stand outside the panel');
    assert.deepEqual(found.tall, [], 'a message takes the whole log');
    assert.deepEqual(found.grown, [0, 0], 'the page has grown');
    assert.deepEqual(
      [...new Set(found.links)].filter((address) => /good|evil|pple|a\.example/.test(address)).sort(),
      ['https://a.example/', 'https://good.example/gnp.exe', 'https://xn--pple-43d.example/login'],
    );
    assert.equal(await otter.page.evaluate(() => globalThis.evil), undefined);
    const elsewhere = requests.filter((url) => !url.startsWith(`${otter.peer.http}/`) && !/^(data|blob):/.test(url));
    assert.deepEqual(elsewhere, []);
  } finally {
    await mallory.stop();
  }
});

test('an address opens beside the page, which it cannot reach', async () => {
  await say(heron.peer, `Look at ${heron.peer.http}/healthz`);
  await reads(otter, /Look at/);
  const link = message(otter, /Look at/).locator('a');
  assert.deepEqual(
    await link.evaluate(({ target, rel, referrerPolicy }) => [target, rel.includes('noopener'), referrerPolicy]),
    ['_blank', true, 'no-referrer'],
  );
  const [page] = await Promise.all([otter.page.context().waitForEvent('page'), link.click()]);
  await page.waitForLoadState();
  assert.equal(await page.evaluate(() => globalThis.opener), null);
  await page.close();
  assert.match(otter.page.url(), new RegExp(`^${otter.peer.http}`));
});

test('it is usable by keys alone, and when the window is small', async () => {
  const { page } = otter;
  await page.setViewportSize({ width: 720, height: 480 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  await until('the composer', () => page.evaluate(() => document.activeElement?.dataset.testid === 'message-input'));
  await page.keyboard.press('ArrowUp');
  await until('the newest message', () => page.evaluate(() => document.activeElement?.tagName === 'ARTICLE'));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Tab');
  await until('what can be done with it', () => page.evaluate(() => document.activeElement?.dataset.testid === 'message-react'));
  const box = await otter.at('messages-panel').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 720 && box.y + box.height <= 480, JSON.stringify(box));
  await picture(page, 'messages-small');
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('nothing went wrong on the way', () => {
  for (const person of [otter, heron]) assert.deepEqual(person.page.troubles, []);
});

/** The newest message whose own words these are, whatever it answers. */
const message = (person, words) => {
  const own = person.page.locator('[data-testid=message-text]', { hasText: words });
  return person.page.locator('[data-testid=message]').filter({ has: own }).last();
};

async function open(person) {
  if ((await person.at('messages-panel').count()) === 0) await person.at('messages-toggle').click();
  await person.sees('message-input');
}

async function write(person, text) {
  await open(person);
  await person.at('message-input').fill(text);
  await person.at('message-input').press('Enter');
}

async function reads(person, words) {
  await until(`${person.name} reads ${words}`, async () =>
    (await person.at('message-text').allTextContents()).some((text) => words.test(text)),
  );
}

/** Presses one of the buttons of a message. */
async function act(person, words, button) {
  await message(person, words).hover();
  await message(person, words).locator(`[data-testid=${button}]`).click();
}

async function choose(person, words, choice) {
  await act(person, words, 'message-menu');
  await person.page.locator(`[data-choice=${choice}]:visible`).click();
}

async function say(peer, text) {
  const { status, body } = await peer.post(`${at}/messages`, { type: 'chat', data: { text }, keep: true });
  assert.ok([200, 201].includes(status), JSON.stringify(body));
}

async function setMetadata(peer, metadata) {
  const { status, body } = await peer.post(`${at}/metadata`, { metadata });
  assert.equal(status, 200, JSON.stringify(body));
}

const settings = async (person) => (await person.peer.api(`${at}/metadata`)).metadata;

/** Newest first. */
const history = async (person) => (await person.peer.api(`${at}/messages?limit=1000`)).messages;

/**
 * Scrolls up, and answers how far the words that are in view have moved: since the last time, when older ones may have
 * come in above and nobody scrolled, and now.
 */
const scrollUp = (log, by) =>
  log.evaluate((box, by) => {
    const topOf = (id) => box.querySelector(`[data-message="${id}"]`).getBoundingClientRect().top;
    const last = globalThis.lastSeen;
    const moved = last === undefined ? [] : [topOf(last.id) - last.top];
    const { top } = box.getBoundingClientRect();
    const row = [...box.querySelectorAll('[data-message]')].find((one) => one.getBoundingClientRect().bottom > top + 1);
    const { id, before } = { id: row.dataset.message, before: topOf(row.dataset.message) };
    box.scrollBy(0, -by);
    globalThis.lastSeen = { id, top: topOf(id) };
    return [...moved, topOf(id) - before];
  }, by);

/** In the page: what nobody wrote into the source, and words that are not where they belong. */
function look() {
  const made = [...document.querySelectorAll('.evil, iframe, object, embed, img, script:not([src])')];
  const links = [...document.querySelectorAll('a')].map(({ href }) => href);
  const bad = [...document.querySelectorAll('a')].filter(({ protocol }) => !['http:', 'https:'].includes(protocol));
  const panel = document.querySelector('[data-testid=messages-panel]').getBoundingClientRect();
  const log = document.querySelector('[data-testid=message-log]');
  const turned = [];
  const outside = [];
  const tall = [];
  const texts = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    if (node.data.trim() === '' || !node.parentElement.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    // What is cut has the size of what cuts it.
    const box = (node.parentElement.closest('.cut') ?? range).getBoundingClientRect();
    if (box.width > 0 && (box.right > panel.right + 1 || box.left < panel.left - 1)) outside.push(node.data.slice(0, 40));
    if (/[\u0590-\u08ff]/.test(node.data)) continue;
    let last = null;
    for (let place = 0; place < Math.min(node.data.length, 60); place++) {
      range.setStart(node, place);
      range.setEnd(node, place + 1);
      const letter = range.getClientRects()[0];
      if (letter === undefined || letter.width === 0) continue;
      if (last !== null && Math.abs(letter.top - last.top) < 2 && letter.left < last.left - 1) {
        turned.push(node.data.slice(0, 40));
        break;
      }
      last = letter;
    }
  }
  const rows = [...log.querySelectorAll('[data-message]')].map((row) => row.getBoundingClientRect());
  for (const [place, row] of rows.entries()) {
    if (row.height > 420) tall.push(`message ${place} has ${row.height}`);
    if (place > 0 && row.top < rows[place - 1].bottom - 1) tall.push(`message ${place} covers another`);
  }
  return {
    made: [...made, ...bad].map((element) => element.outerHTML.slice(0, 120)),
    links,
    turned,
    outside,
    tall,
    grown: [
      Math.max(0, document.documentElement.scrollWidth - innerWidth),
      Math.max(0, document.documentElement.scrollHeight - innerHeight),
    ],
  };
}
