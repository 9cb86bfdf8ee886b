/**
 * The notes of a room in three windows, each on a peer of its own: made, written in with others looking on, moved and
 * recoloured at once, undone, removed, taken along, and locked. The tests build on each other, as a visit does.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { launch, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Harbour plan';
const board = `/rooms/${encodeURIComponent(room)}/board`;
/** How far a drawn place may be from the right one, in pixels. */
const NEAR = 2;

let browser, otter, heron, wren;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.introduce();
  await enter(otter);
  for (const [name, take] of [
    ['Brisk Heron', (person) => (heron = person)],
    ['Merry Wren', (person) => (wren = person)],
  ]) {
    const others = [otter, heron].filter(Boolean);
    const person = await Person.arrive(browser, name, ...others);
    take(person);
    await person.introduce();
    await enter(person);
  }
  for (const person of [otter, heron, wren]) {
    await until('all three', async () => (await person.members(room)).length === 3);
    for (const other of [otter, heron, wren]) await person.sees('avatar', other);
  }
});

after(async () => {
  for (const person of [otter, heron, wren]) await person?.leave();
  await browser?.close();
});

test('a note that is made here is there, at the same place, while it is written', async () => {
  await otter.page.keyboard.press('n');
  await press(otter, 300, 200);
  await (await otter.sees('note-field')).pressSequentially('Plan B', { delay: 10 });
  for (const person of [heron, wren]) await shows(person, 'Plan B');
  await until('the same place', async () => isNear(await place(heron, 'Plan B'), await place(otter, 'note-field')));
  const [note] = await notesOf(wren);
  assert.deepEqual([note.text, note.w, note.h, note.color], ['Plan B', 200, 150, 'yellow']);
});

test('the other sees the caret and who writes, and cannot write there meanwhile', async () => {
  await heron.sees('note-caret', otter);
  await heron.reads('note-writer', /Quiet Otter is editing/, otter);
  assert.equal((await otter.member(room, otter)).presence.typing, true);
  assert.doesNotMatch(await heron.at('typing-line').first().textContent(), /Otter/, 'who writes in a note writes no message');
  await otter.page.keyboard.press('Shift+ArrowLeft');
  await until('the selected range', async () =>
    (await heron.at('note').locator('.range').first().textContent()) === 'B',
  );
  await picture(heron.page, 'board-caret');
  await heron.at('people-toggle').first().click();
  await heron.reads('member-row', /(typing in|editing) “Plan B”/, otter);
  await heron.at('people-toggle').first().click();
  await note(heron, 'Plan B').dblclick();
  await heron.page.getByText('Quiet Otter is editing this note').first().waitFor();
  await heron.seesNo('note-field');
});

test('who is done lets go, and the other goes on', async () => {
  await otter.page.keyboard.press('Escape');
  await heron.seesNo('note-caret', otter);
  await note(heron, 'Plan B').dblclick();
  await heron.sees('note-field');
  await heron.page.keyboard.press('End');
  await heron.page.keyboard.type(' or C');
  await shows(otter, 'Plan B or C');
  await otter.sees('note-caret', heron);
  await heron.page.keyboard.press('Escape');
  await otter.seesNo('note-caret', heron);
});

test('of two who begin at once one has the note, and the other is told', async () => {
  // Neither sees the other yet: both press before a frame goes out.
  const twice = (person) => note(person, 'Plan B or C').dblclick();
  await Promise.all([twice(otter), twice(heron)]);
  await until('one has it', async () => {
    const [a, b] = [await otter.at('note-field').count(), await heron.at('note-field').count()];
    return a + b === 1 && ((await otter.at('note-caret', heron).count()) > 0 || (await heron.at('note-caret', otter).count()) > 0);
  });
  const [has, has_not] = (await otter.at('note-field').count()) === 1 ? [otter, heron] : [heron, otter];
  await has_not.page.getByText(`${has.name} is editing this note`).first().waitFor();
  await has.page.keyboard.press('Escape');
  await has_not.seesNo('note-caret');
});

test('moving and recolouring at once both survive', async () => {
  await select(heron, 'Plan B or C');
  // Whose write is the later one is chance, so several times.
  for (const [colour, dx] of [
    ['pink', 60],
    ['blue', -40],
    ['orange', 70],
    ['violet', 30],
  ]) {
    const before = await place(otter, 'Plan B or C');
    const at = await middle(otter, 'Plan B or C');
    await otter.page.mouse.move(at.x, at.y);
    await otter.page.mouse.down();
    await otter.page.mouse.move(at.x + dx, at.y + 15, { steps: 4 });
    await heron.at(`paper-${colour}`).focus();
    await Promise.all([heron.page.keyboard.press('Enter'), otter.page.mouse.up()]);
    for (const person of [otter, heron, wren]) {
      await paper(person, 'Plan B or C', colour);
      await until('the move', async () =>
        isNear(await place(person, 'Plan B or C'), { ...before, x: before.x + dx, y: before.y + 15 }),
      );
    }
  }
});

test('others see a note on its way before it is written', async () => {
  const before = await place(wren, 'Plan B or C');
  const written = (await notesOf(otter))[0];
  const at = await middle(otter, 'Plan B or C');
  await otter.page.mouse.move(at.x, at.y);
  await otter.page.mouse.down();
  await otter.page.mouse.move(at.x - 200, at.y + 150, { steps: 8 });
  await until('on its way', async () =>
    isNear(await place(wren, 'Plan B or C'), { ...before, x: before.x - 200, y: before.y + 150 }),
  );
  assert.deepEqual((await notesOf(wren))[0].x, written.x);
  await wren.sees('note-selected-by', otter);
  await picture(wren.page, 'board-on-its-way');
  await otter.page.keyboard.press('Escape');
  await until('back', async () => isNear(await place(wren, 'Plan B or C'), before));
  await otter.page.mouse.up();
  assert.deepEqual((await notesOf(otter))[0].x, written.x);
});

test('undo takes back what is one’s own, and leaves what others did since', async () => {
  await select(otter, 'Plan B or C');
  await otter.at('paper-green').click();
  await paper(heron, 'Plan B or C', 'green');
  const before = await place(heron, 'Plan B or C');
  await drag(heron, 'Plan B or C', 80, -40);
  await until('the move', async () => isNear(await place(otter, 'Plan B or C'), { ...before, x: before.x + 80, y: before.y - 40 }));
  await otter.page.keyboard.press('Control+z');
  await paper(heron, 'Plan B or C', 'violet');
  await paper(otter, 'Plan B or C', 'violet');
  const after = await place(otter, 'Plan B or C');
  assert.ok(isNear(after, { ...before, x: before.x + 80, y: before.y - 40 }), 'the move of the other stays');
  await otter.page.keyboard.press('Control+Shift+z');
  await paper(heron, 'Plan B or C', 'green');

  await select(heron, 'Plan B or C');
  await heron.at('paper-red').click();
  await paper(otter, 'Plan B or C', 'red');
  await otter.page.keyboard.press('Control+z');
  await otter.page.getByText('Brisk Heron changed the note since, so it stays').first().waitFor();
  await paper(wren, 'Plan B or C', 'red');
});

test('a note is resized by its corner, duplicated, stacked, removed, and brought back', async () => {
  await select(otter, 'Plan B or C');
  const box = await note(otter, 'Plan B or C').boundingBox();
  await otter.page.mouse.move(box.x + box.width, box.y + box.height);
  await otter.page.mouse.down();
  await otter.page.mouse.move(box.x + box.width + 60, box.y + box.height + 30, { steps: 4 });
  await otter.page.mouse.up();
  await until('the size', async () => {
    const seen = await note(heron, 'Plan B or C').boundingBox();
    return Math.abs(seen.width - 260) <= NEAR && Math.abs(seen.height - 180) <= NEAR;
  });
  await otter.page.keyboard.press('Control+d');
  await until('two', async () => (await note(heron, 'Plan B or C').count()) === 2);
  await otter.page.keyboard.press('[');
  await until('below', async () => {
    const [first, second] = (await notesOf(heron)).sort((a, b) => a.z - b.z);
    return first.x > second.x;
  });
  await otter.page.keyboard.press('Delete');
  await until('one', async () => (await note(heron, 'Plan B or C').count()) === 1);
  for (let i = 0; i < 3; i += 1) await otter.page.keyboard.press('Control+z');
  await until('one, as it was', async () => (await notesOf(heron)).length === 1);
});

test('the keyboard reaches every note, moves it, writes in it and leaves', async () => {
  for (const [x, text] of [
    [560, 'Second'],
    [800, 'Third'],
  ]) {
    await otter.page.keyboard.press('n');
    await press(otter, x, 150);
    await otter.page.keyboard.type(text);
    await otter.page.keyboard.press('Escape');
    await shows(wren, text);
  }
  await wren.at('board').first().focus();
  const order = [];
  for (let i = 0; i < 3; i += 1) {
    await wren.page.keyboard.press('Tab');
    const named = await until('a note with the keyboard', async () => {
      const label = await wren.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
      return /^Note, /.test(label) && !order.includes(label) && label;
    });
    order.push(named);
  }
  assert.match(order.join('\n'), /by Quiet Otter: Second\n.*Third/);
  assert.match(order.join('\n'), /Note, red, by Quiet Otter: Plan B or C|Note, red, by Brisk Heron: Plan B or C/);
  // On the last in reading order.
  const last = /: (.*)$/.exec(order[2])[1];
  const before = await place(heron, last);
  await wren.page.keyboard.press('ArrowRight');
  await wren.page.keyboard.press('Shift+ArrowDown');
  await until('moved by keys', async () => isNear(await place(heron, last), { ...before, x: before.x + 8, y: before.y + 40 }));
  await wren.page.keyboard.press('Enter');
  await wren.sees('note-field');
  await wren.page.keyboard.type('!');
  await wren.page.keyboard.press('Escape');
  await shows(heron, `${last}!`);
  await wren.page.keyboard.press('Escape');
  await until('none selected', async () => (await wren.at('note-tools').count()) === 0);
  await wren.page.keyboard.press('Tab');
  await until('out of the notes', () => wren.page.evaluate(() => document.activeElement?.closest('[data-note]') === null));
});

test('notes go by the clipboard, and any text becomes one', async () => {
  for (const person of [otter, heron]) {
    await person.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: person.peer.http });
  }
  await select(otter, 'Second');
  await otter.page.keyboard.press('Control+c');
  await otter.page.mouse.move((await otter.board()).x + 900, (await otter.board()).y + 480);
  await otter.page.keyboard.press('Control+v');
  await until('a copy', async () => (await note(heron, 'Second').count()) === 2);
  await otter.page.evaluate(() => navigator.clipboard.writeText('From elsewhere\nof two lines'));
  await otter.page.mouse.move((await otter.board()).x + 300, (await otter.board()).y + 520);
  await otter.page.keyboard.press('Control+v');
  await shows(heron, 'From elsewhere');
});

test('a rectangle selects what it touches', async () => {
  const target = await note(otter, 'Third').boundingBox();
  await otter.page.keyboard.press('v');
  await otter.page.mouse.move(target.x + target.width + 10, target.y - 30);
  await otter.page.mouse.down();
  await otter.page.mouse.move(target.x + target.width - 50, target.y + 20, { steps: 6 });
  await otter.page.mouse.up();
  await until('it is selected', async () => (await note(otter, 'Third').getAttribute('data-selected')) === 'true');
  await until('that is told', async () => (await otter.member(room, otter)).presence.selected?.length === 1);
  await otter.page.keyboard.press('Control+a');
  await until('all are told', async () => {
    const { selected } = (await heron.member(room, otter)).presence;
    return selected.length === (await notesOf(heron)).length;
  });
  await otter.page.keyboard.press('Escape');
  await until('none is told', async () => (await heron.member(room, otter)).presence.selected === undefined);
});

test('notes are made, resized and selected by keys alone', async () => {
  const { page } = otter;
  const before = new Set((await notesOf(otter)).map(({ id }) => id));
  await otter.at('board').focus();
  for (const words of ['By keys', 'By keys too']) {
    await page.keyboard.press('n');
    await page.keyboard.press('Enter');
    await (await otter.sees('note-field')).pressSequentially(words);
    await page.keyboard.press('Escape');
    await otter.seesNo('note-field');
    await shows(heron, words);
    await page.keyboard.press('Escape');
    await otter.seesNo('note-tools');
    await otter.at('board').focus();
  }
  const made = async () => (await notesOf(heron)).filter(({ id }) => !before.has(id));
  const [one, other] = await made();
  assert.notDeepEqual([one.x, one.y], [other.x, other.y], 'neither hides the other');

  // After Escape the keyboard is on its way out of the notes, until another key says otherwise.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Tab');
  const focused = () => page.evaluate(() => document.activeElement?.dataset.note);
  await until('the keyboard in a note', async () => (await focused()) !== undefined);
  const first = await focused();
  const { w } = (await notesOf(heron)).find(({ id }) => id === first);
  await page.keyboard.press('Control+ArrowRight');
  await until('a wider note', async () => (await notesOf(heron)).find(({ id }) => id === first).w === w + 8);
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await until('the next one', async () => ![undefined, first].includes(await focused()));
  const both = [first, await focused()].toSorted();
  await until('both are told', async () =>
    JSON.stringify((await heron.member(room, otter)).presence.selected?.toSorted()) === JSON.stringify(both),
  );
  await page.keyboard.press('Escape');
  await until('none', async () => (await heron.member(room, otter)).presence.selected === undefined);
});

test('a board is taken along as Markdown and as a picture, and Markdown makes notes', async () => {
  const saved = async (id) => {
    await otter.at('board-menu').click();
    const download = otter.page.waitForEvent('download');
    await otter.page.locator(`[data-choice="${id}"]`).click();
    return (await download).path();
  };
  const text = await readFile(await saved('save-markdown'), 'utf8');
  assert.match(text, /^# Harbour plan\n\n- /);
  assert.match(text, /- From elsewhere\n {2}of two lines\n/);
  const image = await readFile(await saved('save-picture'));
  assert.equal(image.subarray(1, 4).toString(), 'PNG');
  assert.ok(image.length > 5_000, `${image.length} bytes`);

  await heron.at('board-menu').click();
  await heron.page.locator('[data-choice=import]').click();
  await heron.at('import-text').fill('# Title\n\n- Alpha item\n- Beta item\n  goes on\n\nGamma paragraph');
  await heron.at('import-action').click();
  for (const words of ['Alpha item', 'Beta item', 'Gamma paragraph']) await shows(otter, words);
  await heron.page.keyboard.press('Control+z');
  await until('the import undone', async () => (await note(otter, 'Alpha item').count()) === 0);
});

test('a lock switches notes off, and says why', async () => {
  await (await heron.sees('lock-chip')).click();
  await until('the lock', async () => (await otter.at('lock-chip').getAttribute('data-locked')) === 'true');
  const before = (await notesOf(otter)).length;
  await otter.page.keyboard.press('n');
  await press(otter, 420, 420);
  await otter.page.getByText('This room is locked. Unlock it to change things.').first().waitFor();
  await note(otter, 'Third').dblclick();
  await otter.seesNo('note-field');
  await otter.seesNo('note-tools');
  assert.equal((await notesOf(otter)).length, before);
  await heron.at('lock-chip').click();
  await until('no lock', async () => (await otter.at('lock-chip').getAttribute('data-locked')) === 'false');
});

test('who leaves while writing frees the note', async () => {
  await note(wren, 'Third').first().dblclick();
  await wren.page.keyboard.type('+');
  await otter.sees('note-caret', wren);
  assert.deepEqual(wren.page.troubles, []);
  await wren.leave();
  await otter.seesNo('note-caret', wren);
  await note(otter, 'Third').dblclick();
  await otter.sees('note-field');
  await otter.page.keyboard.press('Escape');
  wren = undefined;
});

test('notes that mean to be more than text are text, and stay in their place', async () => {
  const set = hostile.map((text, i) => ({ id: `evil${i}`, x: (i % 4) * 230 - 420, y: 900 + Math.floor(i / 4) * 180, text }));
  set[0].color = 'red;background:url(http://evil.example/a.png)';
  set[1].color = '#ff00aa';
  set[2].color = '#0b1021';
  set.push({ id: 'evil-far', x: 1e300, y: -1e300, w: 1e300, h: 1e300, z: 1e300, text: 'far' });
  set.push({ id: '"><img src=x onerror=alert(1)>', x: 500, y: 900, text: 'an odd id', z: 9e15 });
  const answer = await heron.peer.post(board, { set });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await until('all of them', async () => (await notesOf(otter)).some(({ id }) => id === 'evil-far'));
  await otter.page.keyboard.press('Escape');
  await until('they are drawn', async () => {
    await otter.page.keyboard.press('1');
    return (await otter.page.locator('[data-note^=evil]').count()) >= hostile.length;
  });
  await picture(otter.page, 'board-hostile');
  assert.equal(await otter.page.evaluate(() => globalThis.evil), undefined);
  assert.equal(await otter.page.locator('.evil').count(), 0);
  for (let i = 0; i < hostile.length; i += 1) {
    const card = otter.page.locator(`[data-note="evil${i}"]`);
    const [outer, inner] = [await card.boundingBox(), await card.locator('[data-testid=note-text]').boundingBox()];
    assert.ok(inner.y + inner.height <= outer.y + outer.height + NEAR, `note ${i} keeps its text inside`);
    const { overflowX, overflowY } = await card.locator('[data-testid=note-text]').evaluate((text) => getComputedStyle(text));
    assert.deepEqual([overflowX, overflowY], ['hidden', 'hidden'], `note ${i} shows nothing beside its place`);
  }
  // An id may be anything, and is selected like any other.
  await note(otter, 'an odd id').first().click();
  await otter.sees('note-tools');
  await otter.page.keyboard.press('Delete');
  // At the peers: a note that is out of view is in no window.
  for (const person of [otter, heron])
    await until('it is gone', async () => !(await notesOf(person)).some(({ text }) => text === 'an odd id'));
});

test('nothing went wrong on the way', () => {
  for (const person of [otter, heron]) assert.deepEqual(person.page.troubles, []);
});

test('everybody leaves, and who comes back finds the board as it was', async () => {
  const before = await notesOf(otter);
  assert.ok(before.length > hostile.length);
  await heron.leave();
  heron = undefined;
  assert.equal(await otter.goHome(), 0, otter.peer.complaints.join('\n'));
  await otter.comeBack(browser);
  // The room of last time may open by itself.
  await until('home, or the room', async () => (await otter.at('board').count()) + (await otter.at('home').count()) > 0);
  if ((await otter.at('board').count()) === 0) await enter(otter);
  await shows(otter, 'Third');
  assert.deepEqual(await notesOf(otter), before);
  assert.deepEqual((await otter.members(room)).map(({ memberId }) => memberId), [otter.id], 'presence is on no disk');
  await otter.page.keyboard.press('n');
  await press(otter, 300, 420);
  await otter.page.keyboard.type('The day after');
  await otter.page.keyboard.press('Escape');
  await until('it is written', async () => (await notesOf(otter)).some(({ text }) => text === 'The day after'));
  assert.deepEqual(otter.page.troubles, []);
});

const hit = 'globalThis.evil=(globalThis.evil??0)+1';
const hostile = [
  `<img class=evil src=x onerror="${hit}">`,
  `</div></section><script class=evil>${hit}</script>`,
  '\u202eturned \u2066around\u2067 and never ended',
  `Z${'\u0301'.repeat(1_500)}algo${'\u0489\u0335'.repeat(200)}`,
  'W'.repeat(4_000),
  'line\n'.repeat(800),
  'دانا ۱۲ — متن فارسی که باید از راست خوانده شود',
  '\u200b\u2060\ufeff',
  '\ufdfd'.repeat(300),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'.repeat(60),
  `javascript:${hit}//`,
  '{@html evil} {{constructor}} ${evil}',
];

const note = (person, words) => person.at('note').filter({ hasText: words });
const isNear = (a, b) => Math.abs(a.x - b.x) <= NEAR && Math.abs(a.y - b.y) <= NEAR;
const notesOf = async (person) => (await person.peer.api(board)).notes;

async function enter(person) {
  await person.at('join-room-input').fill(room);
  await person.at('join-room').click();
  await person.sees('board');
  await until('in the room', async () => (await person.members(room)).some(({ memberId }) => memberId === person.id));
}

async function shows(person, words) {
  await until(`${person.name} sees a note "${words}"`, async () => (await note(person, words).count()) > 0);
}

async function paper(person, words, colour) {
  await until(`${person.name} sees it ${colour}`, async () => (await note(person, words).first().getAttribute('data-paper')) === colour);
}

/** Where a note is drawn, relative to the board; by its text, or the one that is written in. */
async function place(person, words) {
  const surface = await person.board();
  const card = words === 'note-field' ? person.at('note').filter({ has: person.at('note-field') }) : note(person, words);
  const box = await card.first().boundingBox();
  return { x: box.x - surface.x, y: box.y - surface.y };
}

async function middle(person, words) {
  const box = await note(person, words).first().boundingBox();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** A click on the bare board. */
async function press(person, x, y) {
  const surface = await person.board();
  await person.page.mouse.click(surface.x + x, surface.y + y);
}

async function select(person, words) {
  await note(person, words).first().click();
  await person.sees('note-tools');
}

async function drag(person, words, dx, dy) {
  const at = await middle(person, words);
  await person.page.mouse.move(at.x, at.y);
  await person.page.mouse.down();
  await person.page.mouse.move(at.x + dx, at.y + dy, { steps: 6 });
  await person.page.mouse.up();
}
