/**
 * Somebody on the network whose every word is meant to be more than a word. A peer without a window says it by the API;
 * a person's window shows it as text, in its place, beside the words of others.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const hit = 'globalThis.evil=(globalThis.evil??0)+1';
const away = 'http://evil.example/';
/** What becomes an element, a script or an address if it is not text. */
const markup = [
  `<img class=evil src=x onerror="${hit}">`,
  `<script class=evil>${hit}</script>`,
  `"><svg class=evil onload="${hit}">`,
  `</title></button><iframe class=evil srcdoc="<script>parent.${hit}</script>">`,
  `<style class=evil>*{display:none!important}</style>`,
  `<a class=evil href="javascript:${hit}">Click</a>`,
  `javascript:${hit}//`,
  `<base class=evil href="${away}"><link class=evil rel=stylesheet href="${away}a.css">`,
  `\${${hit}}{{constructor.constructor('${hit}')()}}`,
  `red;background:url(${away}a.png)`,
  `<template class=evil><img src=x onerror="${hit}"></template><!--`,
  `&lt;img class=evil src=x onerror=${hit}&gt;`,
];
const marks = '\u0335\u0489\u0300\u0301\u0310\u0323\u032e\u0361\u20dd\u0488'.repeat(90);
/** What moves, covers or hides the words beside it if it is not held. */
const odd = [
  '\u202eOverridden\u2066\u2067',
  '\u2067\u202e\u202bUnclosed',
  'دانا 12',
  'דנה (1)',
  `Zalgo${marks}`,
  `Z${'\u0301\u200d'.repeat(400)}`,
  '\u200b\u200d\u2060\ufeff',
  '\u3164\u2800',
  'Two\u2028lines\u0085of\u001bone',
  '\ufdfd'.repeat(160),
  'W'.repeat(2000),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'.repeat(40),
  'constructor',
  '__proto__',
  'toString',
];
const words = [...markup, ...odd];
const room = `Room <img class=evil src=x onerror="${hit}"> \u202eend`;
const at = `/rooms/${encodeURIComponent(room)}`;
const path = (call) => `${at}/${call}`;
const limit = (text, bytes) => {
  while (Buffer.byteLength(text) > bytes) text = text.slice(0, -1);
  return text;
};

let browser, otter, mallory;
const requests = [];

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  otter.page.on('request', (request) => requests.push(request.url()));
  otter.page.on('dialog', (dialog) => {
    otter.page.troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await otter.introduce();
  mallory = await Peer.start(otter.peer);
});

after(async () => {
  await otter?.leave();
  await mallory?.stop();
  await browser?.close();
});

test('what is over the limits is refused', async () => {
  const many = `a${'\u0301'.repeat(10_000)}`;
  for (const [call, body] of [
    ['join', { presence: { name: many } }],
    ['join', { metadata: { role: many } }],
    ['join', { presence: { [many]: 1 } }],
  ]) {
    assert.equal((await mallory.post(path(call), body)).body.code, 'PAYLOAD_TOO_LARGE');
  }
  assert.ok([400, 413].includes((await mallory.post('/profile', { name: many })).status));
  for (const wrong of ['a\u0000b', 'a\u001bb', many, '..']) {
    assert.equal((await mallory.post('/rooms', { room: wrong })).body.code, 'INVALID_ROOM_ID');
    assert.equal((await mallory.post('/rooms/r/join', { memberId: wrong === '..' ? '' : wrong })).body.code, 'INVALID_MEMBER_ID');
  }
  await mallory.post(path('join'), {});
  assert.equal((await mallory.post(path('metadata'), { metadata: { [many]: 1 } })).body.code, 'PAYLOAD_TOO_LARGE');
  assert.equal((await mallory.post(path('metadata'), { metadata: { title: many } })).body.code, 'PAYLOAD_TOO_LARGE');
});

test('what is within them is said', async () => {
  for (const [place, text] of words.entries()) {
    const own = limit(text, 900);
    const guest = { id: `guest-${place}`, name: /[\u0000-\u001f\u0080-\u009f]/.test(text) ? 'Guest' : limit(text, 200) };
    const body = {
      memberId: /[\p{Cc}]/u.test(text) ? undefined : `${place} ${limit(text, 100)}`,
      presence: {
        name: own,
        status: own,
        chat: own,
        tool: own.slice(0, 200),
        color: own.slice(0, 200),
        typing: true,
        cursor: { x: -200 + (place % 6) * 90, y: -150 + Math.floor(place / 6) * 70 },
        selection: { x: -220 + place * 4, y: 120, w: 60, h: 20 },
      },
      metadata: { role: own },
    };
    const { status, body: said } = await mallory.post(path('join'), body, guest);
    assert.equal(status, 200, `${text.slice(0, 40)}: ${JSON.stringify(said)}`);
  }
  await setMetadata({ title: words[0], mode: 'constructor' });
  await setMetadata(Object.fromEntries(words.map((text, place) => [limit(`${place} ${text}`, 64), limit(text, 700)])));
});

test('the list of rooms shows it as text', async () => {
  await until('the room', async () => (await otter.at('room-card').count()) > 0, 30_000);
  await otter.reads('room-card', /<img class=evil/);
  await isUnharmed('home');
});

test('the room shows it as text', async () => {
  await otter.at('room-card').first().click();
  await otter.sees('board');
  await until('everybody', async () => (await otter.members(room)).length === words.length + 2);
  await otter.page.keyboard.press('1');
  await otter.page.keyboard.press('m');
  await until('all rows', async () => (await otter.at('member-row').count()) === words.length + 2);
  await until('cursors', async () => (await otter.page.locator('[data-testid=cursor]:visible').count()) > 5);
  await keepSaying();
  await isUnharmed('room');
  const names = await otter.page.locator('[data-testid=member-row] .name').allTextContents();
  for (const name of names) assert.match(name, /[\p{L}\p{N}\p{P}\p{S}]/u, 'everybody has a name that can be seen');
  for (const text of markup) {
    assert.ok(names.some((name) => name.startsWith(text.slice(0, 40))), `${text} is not shown as it is`);
  }
  await otter.page.locator('[data-testid=member-row]').last().scrollIntoViewIfNeeded();
  await isUnharmed('room-end');
});

test('words that run the other way stay where they are', async () => {
  const row = otter.page.locator('[data-testid=member-row]').filter({ hasText: 'דנה' });
  await until('what they say', async () => (await row.locator('.second bdi').count()) === 2);
  const [status, says] = await Promise.all([0, 1].map((n) => row.locator('.second bdi').nth(n).evaluate(leftOf)));
  assert.ok(status <= says, `the status is at ${status}, after what is said at ${says}`);
});

test('settings are text too', async () => {
  await otter.reads('room-title', /<img class=evil/);
  await otter.reads('mode-chip', /^constructor$/);
  await otter.page.keyboard.press('i');
  await otter.sees('details-panel');
  await until('the settings', async () => (await otter.page.locator('[data-testid=details-panel] li:not([data-testid=setting-change])').count()) === words.length);
  await isUnharmed('details');
  await otter.at('mode-chip').click();
  await isUnharmed('mode');
  await otter.page.keyboard.press('Escape');
  await setMetadata({ mode: 'W'.repeat(64), title: odd[0] + marks.slice(0, 200) });
  await otter.reads('room-title', /Overridden/);
  await isUnharmed('title');
});

test('an invitation and the question of a ticket are text too', async () => {
  await otter.at('invite').click();
  const ticket = await (await otter.sees('invite-ticket')).inputValue();
  await isUnharmed('invite');
  await otter.page.keyboard.press('Escape');
  await otter.at('leave-room').click();
  await otter.at('join-room-input').fill(ticket);
  await otter.at('join-room').click();
  await otter.sees('ticket-sheet');
  await isUnharmed('ticket');
  await otter.page.keyboard.press('Enter');
  await otter.sees('board');
});

test('who comes and goes is told in words', async () => {
  for (const [place] of words.entries()) {
    const guest = { id: `guest-${place}`, name: 'Guest' };
    await mallory.post(path('leave'), { memberId: /[\p{Cc}]/u.test(words[place]) ? undefined : `${place} ${limit(words[place], 100)}` }, guest);
  }
  await until('they are gone', async () => (await otter.members(room)).length === 2);
  await isUnharmed('left');
  await otter.at('leave-room').click();
  await otter.sees('home');
  await isUnharmed('home-again');
});

test('nothing ran, nothing was made, nothing left', async () => {
  assert.equal(await otter.page.evaluate(() => globalThis.evil), undefined);
  const elsewhere = requests.filter((url) => !url.startsWith(`${otter.peer.http}/`) && !/^(data|blob):/.test(url));
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(otter.page.troubles, []);
});

test('a mistake in the page would make no element of text either', async () => {
  const tries = await otter.page.evaluate(() =>
    ['innerHTML', 'outerHTML', 'srcdoc'].map((property) => {
      const element = document.createElement(property === 'srcdoc' ? 'iframe' : 'div');
      document.body.append(element);
      try {
        element[property] = '<b class="evil">b</b>';
        return 'done';
      } catch (error) {
        return error.name;
      } finally {
        element.remove();
      }
    }),
  );
  assert.deepEqual(tries, ['TypeError', 'TypeError', 'TypeError']);
});

async function setMetadata(metadata) {
  const { status, body } = await mallory.post(path('metadata'), { metadata });
  assert.equal(status, 200, JSON.stringify(body));
}

/** Chat and typing pass; the window must see them now. */
async function keepSaying() {
  await Promise.all(
    words.map((text, place) =>
      mallory.post(path('presence'), {
        memberId: /[\p{Cc}]/u.test(text) ? undefined : `${place} ${limit(text, 100)}`,
        presence: { chat: limit(text, 900), typing: place % 9 === 0 },
      }, { id: `guest-${place}`, name: 'Guest' }),
    ),
  );
}

/** The left end of an element on the screen. */
function leftOf(element) {
  return element.getBoundingClientRect().left;
}

/** Looks at all that is shown, and keeps a picture. */
async function isUnharmed(screen) {
  await picture(otter.page, `hostile-${screen}`);
  const { made, turned, outside, tall, scroll } = await otter.page.evaluate(look);
  assert.deepEqual(made, [], `${screen}: elements were made of text`);
  assert.deepEqual(turned, [], `${screen}: words are turned around`);
  assert.deepEqual(outside, [], `${screen}: words stand outside their place`);
  assert.deepEqual(tall, [], `${screen}: words are higher than their line`);
  assert.deepEqual(scroll, [0, 0], `${screen}: the page has grown`);
}

/** In the page: elements that nobody wrote into the source, and text that is not where it belongs. */
function look() {
  const made = [...document.querySelectorAll('.evil, iframe, object, embed, base, a, template, style.evil, img, script:not([src])')];
  const inline = [...document.querySelectorAll('*')].filter((element) =>
    [...element.attributes].some(({ name, value }) => name.startsWith('on') || /^\s*javascript:/i.test(value) && name !== 'value' && !name.startsWith('data-') && name !== 'title' && name !== 'aria-label'),
  );
  const turned = [];
  const outside = [];
  const tall = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement;
    const shown = node.data.trim();
    if (shown === '' || element.closest('.for-readers') || !element.checkVisibility({ opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width === 0 || box.right < 0 || box.bottom < 0) continue;
    // Words of one direction stand from left to right, whatever stands before them.
    if (!/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(node.data)) {
      let last = null;
      for (let place = 0; place < Math.min(node.data.length, 60); place++) {
        range.setStart(node, place);
        range.setEnd(node, place + 1);
        const letter = range.getClientRects()[0];
        if (letter === undefined || letter.width === 0) continue;
        if (last !== null && Math.abs(letter.top - last.top) < 2 && letter.left < last.left - 1) {
          turned.push(shown.slice(0, 40));
          break;
        }
        last = letter;
      }
    }
    // What sticks out of its own place is cut by something around it that is in the window.
    let clip = element;
    while (clip !== null && getComputedStyle(clip).overflow === 'visible') clip = clip.parentElement;
    // A label near the edge of the board is cut by the board.
    const frame = (clip?.closest('[data-testid=board]') ?? clip)?.getBoundingClientRect();
    if (frame && (frame.right > innerWidth + 1 || frame.left < -1)) outside.push(shown.slice(0, 40));
    // In a list, nothing is higher than the row that holds it, unless the row cuts it.
    const row = element.closest('[data-testid=member-row], [data-testid=room-card], header, footer');
    const cut = clip?.closest('[data-testid=member-row], [data-testid=room-card], header, footer');
    if (row && !cut && box.height > row.getBoundingClientRect().height + 1) tall.push(shown.slice(0, 40));
  }
  const rows = [...document.querySelectorAll('[data-testid=member-row]')].map((row) => row.getBoundingClientRect());
  for (const [place, row] of rows.entries()) {
    if (row.height > 130) tall.push(`row ${place} has ${row.height}`);
    if (place > 0 && row.top < rows[place - 1].bottom - 1) tall.push(`row ${place} covers another`);
  }
  // What has a size of its own keeps it, whatever stands in it.
  const boxes = (selector) => [...document.querySelectorAll(selector)].map((element) => element.getBoundingClientRect());
  for (const { width, height } of boxes('[data-testid=cursor] .label')) {
    if (width > 241 || height > 190) tall.push(`a label is ${width} by ${height}`);
  }
  for (const letters of document.querySelectorAll('[data-letters]')) {
    if (getComputedStyle(letters).overflow === 'visible') outside.push(`the letters ${letters.dataset.letters}`);
  }
  const ends = boxes('[data-testid=mode-chip], [data-testid=lock-chip], [data-testid=room-title]').map((box) => box.right);
  const begin = Math.min(...boxes('[data-testid=avatar]').map((box) => box.left));
  if (Math.max(...ends) > begin + 1) outside.push(`the title ends at ${Math.max(...ends)}, the people begin at ${begin}`);
  return {
    made: [...made, ...inline].map((element) => element.outerHTML.slice(0, 120)),
    turned,
    outside,
    tall,
    scroll: [
      Math.max(0, document.documentElement.scrollWidth - innerWidth),
      Math.max(0, document.documentElement.scrollHeight - innerHeight),
    ],
  };
}
