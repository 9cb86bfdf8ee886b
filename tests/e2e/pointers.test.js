/**
 * The board under a pen and under fingers, in a window on a screen that takes both, with somebody looking on: what a hand
 * presses, what of it only rests, and what a finger does that has no keys beside it. The tests build on each other.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const room = 'Drawing table';

let browser, otter, heron, glass;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.introduce();
  heron = await Person.arrive(browser, 'Brisk Heron', otter);
  await heron.introduce();
  await otter.page.context().close();
  otter.page = await openPage(browser, otter.peer.url, { hasTouch: true });
  for (const person of [otter, heron]) {
    await person.at('start-room-input').fill(room);
    await person.at('start-room').click();
    await person.sees('board');
  }
  await otter.sees('avatar', heron);
  await heron.sees('avatar', otter);
  // The same part of the board at the same place, whoever looks.
  await otter.page.keyboard.press('0');
  glass = await otter.page.context().newCDPSession(otter.page);
  await until('both tell where they look', async () => {
    const members = await Promise.all([otter, heron].map((person) => otter.member(room, person)));
    return members.every(({ presence }) => presence.viewport);
  });
});

after(async () => {
  for (const person of [otter, heron]) await person?.leave();
  await browser?.close();
});

test('a pen that presses harder draws wider, for everybody', async () => {
  await otter.page.keyboard.press('p');
  for (const person of [otter, heron]) {
    const seen = await watchInk(person, STROKE.from + 40, STROKE.to - 8);
    let widths;
    await until(`${person.name} sees a line that grows`, async () => {
      await stroke((part) => 0.1 + 0.9 * part);
      widths = await seen();
      return widths.every((width) => width > 0);
    });
    await picture(person.page, `ink-${person === otter ? 'own' : 'theirs'}`);
    assert.ok(widths[1] > widths[0] * 2, `${person.name} sees a line of ${widths.join(' and ')} points`);
  }
});

test('what feels no pressure draws one width', async () => {
  const { left, top } = await corner(otter);
  await faded();
  const seen = await watchInk(otter, STROKE.from + 120, STROKE.to - 8);
  let widths;
  await until('a line', async () => {
    await otter.page.mouse.move(left + STROKE.from, top + STROKE.y);
    await otter.page.mouse.down();
    await otter.page.mouse.move(left + STROKE.to, top + STROKE.y, { steps: 12 });
    await otter.page.mouse.up();
    widths = await seen();
    return widths.every((width) => width > 0);
  });
  assert.ok(Math.abs(widths[0] - widths[1]) <= 2, `${widths}`);
});

test('the hand that rests beside the pen does nothing, and fingers move the view', async () => {
  const { left, top } = await corner(otter);
  const before = await viewport();
  await faded();
  await pen('mousePressed', STROKE.from, STROKE.y, 0.5);
  await touch('touchStart', [left + 500, top + 420]);
  for (let step = 1; step <= 6; step++) {
    await touch('touchMove', [left + 500, top + 420 - step * 20]);
    await pen('mouseMoved', STROKE.from + step * 10, STROKE.y, 0.5);
  }
  assert.deepEqual(await inkHeights(otter, 500), [0], 'the hand drew');
  await touch('touchEnd');
  await pen('mouseReleased', STROKE.from + 60, STROKE.y, 0);
  assert.deepEqual(await viewport(), before, 'the hand moved the view');
  await otter.page.mouse.move(left + 5, top + 5);

  await touch('touchStart', [left + 500, top + 300]);
  for (let step = 1; step <= 6; step++) await touch('touchMove', [left + 500 + step * 10, top + 300]);
  await touch('touchEnd');
  await until('the view moved', async () => (await viewport()).x === before.x - 60);
  assert.deepEqual(await inkHeights(otter, 530), [0], 'the finger drew');
});

test('a pen that comes after the hand takes back what the hand began', async () => {
  const { left, top } = await corner(otter);
  await otter.page.keyboard.press('v');
  await touch('touchStart', [left + 500, top + 420]);
  await touch('touchMove', [left + 560, top + 460]);
  await otter.sees('own-selection');
  await pen('mousePressed', STROKE.from, STROKE.y, 0.5);
  await pen('mouseMoved', STROKE.from + 80, STROKE.y + 60, 0.5);
  const box = await otter.at('own-selection').boundingBox();
  assert.ok(Math.abs(box.x - left - STROKE.from) < 3 && Math.abs(box.width - 80) < 3, JSON.stringify(box));
  await touch('touchMove', [left + 600, top + 500]);
  await glass.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: left + 700, y: top + 100, pointerType: 'mouse' });
  assert.deepEqual(await otter.at('own-selection').boundingBox(), box, 'neither the hand nor a mouse has a word');
  await touch('touchEnd');
  await pen('mouseReleased', STROKE.from + 80, STROKE.y + 60, 0);
});

test('a finger that stays on notes selects one beside the other, and opens no menu', async () => {
  const { x, y, w, h } = await viewport();
  const note = (id, dx) => ({ id, text: id, x: x + w / 2 + dx, y: y + h / 2 - 200, w: 150, h: 90, color: 'yellow', z: 1 });
  const { status } = await otter.peer.post(`/rooms/${encodeURIComponent(room)}/board`, { set: [note('one', -200), note('two', 50)] });
  assert.equal(status, 200);
  await until('both notes', async () => (await otter.at('note').count()) === 2);
  await tap('one');
  await until('one is selected', async () => (await selected()).join() === 'one');
  const at = await middle('two');
  await touch('touchStart', at);
  // The tip of a finger rolls a little.
  await touch('touchMove', [at[0] + 4, at[1] + 3]);
  const menus = () =>
    otter.page.locator('[data-note=two]').evaluate((note) => note.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true })));
  assert.equal(await menus(), false, 'the system asks whether to open its menu');
  await until('both are selected', async () => (await selected()).join() === 'one,two');
  await touch('touchEnd');
  assert.deepEqual(await selected(), ['one', 'two'], 'lifting it changes nothing');
  assert.equal(await menus(), true, 'a mouse has its menu');
  await touch('touchStart', at);
  await until('the second is not selected any more', async () => (await selected()).join() === 'one');
  await touch('touchEnd');
});

test('a finger drags a note, and taps twice to write in it', async () => {
  const [x, y] = await middle('two');
  await touch('touchStart', [x, y]);
  for (let step = 1; step <= 8; step++) await touch('touchMove', [x + step * 10, y + step * 5]);
  await touch('touchEnd');
  await until('it is where the finger let go', async () => {
    const [nowX, nowY] = await middle('two');
    return Math.abs(nowX - x - 80) < 3 && Math.abs(nowY - y - 40) < 3;
  });
  // Dragged once more, and a pen comes: it was the hand that holds it.
  const here = await middle('two');
  await touch('touchStart', here);
  for (let step = 1; step <= 8; step++) await touch('touchMove', [here[0] + step * 10, here[1]]);
  await until('it is on its way', async () => (await middle('two'))[0] > here[0] + 70);
  await pen('mousePressed', STROKE.from, 500, 0.5);
  await until('it is back', async () => Math.abs((await middle('two'))[0] - here[0]) < 2);
  await touch('touchEnd');
  await pen('mouseReleased', STROKE.from, 500, 0);
  assert.ok(Math.abs((await middle('two'))[0] - here[0]) < 2, 'the hand moved it');

  const [twoX, twoY] = await middle('two');
  await until('a note that is tapped twice', async () => {
    // Sent in one go: two taps that are far apart in time are two taps.
    const touches = [['touchStart', [twoX, twoY]], ['touchEnd'], ['touchStart', [twoX + 12, twoY]], ['touchEnd']];
    await Promise.all(touches.map((one) => touch(...one)));
    return otter.at('note-field').waitFor({ timeout: 2_000 }).then(() => true, () => false);
  });
  await otter.page.keyboard.press('Escape');
  assert.deepEqual(otter.page.troubles, []);
});

/** Where a line is drawn, from the corner of the board. */
const STROKE = { from: 200, to: 440, y: 300 };

async function corner(person) {
  const { x: left, y: top } = await person.board();
  return { left, top };
}

/** A pen as the browser takes it from the system. */
const pen = async (type, x, y, force) => penAt(await corner(otter), type, x, y, force);

function penAt({ left, top }, type, x, y, force) {
  const pressed = type === 'mousePressed' ? { button: 'left', clickCount: 1 } : { button: type === 'mouseMoved' ? 'none' : 'left' };
  const buttons = type === 'mouseReleased' ? 0 : 1;
  return glass.send('Input.dispatchMouseEvent', { type, x: left + x, y: top + y, ...pressed, buttons, force, pointerType: 'pen' });
}

/** A line in one go: the hand does not wait until a point is drawn before it makes the next. */
async function stroke(force) {
  const at = await corner(otter);
  const steps = 16;
  const moves = [penAt(at, 'mousePressed', STROKE.from, STROKE.y, force(0))];
  for (let step = 1; step <= steps; step++)
    moves.push(penAt(at, 'mouseMoved', STROKE.from + ((STROKE.to - STROKE.from) * step) / steps, STROKE.y, force(step / steps)));
  moves.push(penAt(at, 'mouseReleased', STROKE.to, STROKE.y, 0));
  await Promise.all(moves);
}

const faded = () => until('the ink has faded', async () => (await inkHeights(otter, STROKE.from + 200))[0] === 0);

const touch = (type, ...spots) =>
  glass.send('Input.dispatchTouchEvent', { type, touchPoints: spots.map(([x, y], id) => ({ x, y, id })) });

async function tap(id) {
  await touch('touchStart', await middle(id));
  await touch('touchEnd');
}

async function middle(id) {
  const { x, y, width, height } = await otter.page.locator(`[data-note="${id}"]`).boundingBox();
  return [x + width / 2, y + height / 2];
}

/** What is selected here, as others are told. */
async function selected() {
  return [...((await otter.member(room, otter)).presence.selected ?? [])].sort();
}

const viewport = async () => (await otter.member(room, otter)).presence.viewport;

/** How high the ink is now in each of these columns of the part of the board that the drawing window shows, in its points. */
async function inkHeights(person, ...columns) {
  const seen = await inked(person, columns, false);
  return seen();
}

/**
 * Looks at these columns in each frame from now on. What it returns tells how high the ink has been in each at its
 * highest: ink fades, and one end of a line may be gone before a slow machine has drawn the other.
 */
const watchInk = (person, ...columns) => inked(person, columns, true);

async function inked(person, columns, always) {
  const [mine, theirs] = [await viewport(), (await otter.member(room, person)).presence.viewport];
  const moved = Math.round(mine.x - theirs.x);
  const seen = await person.page.locator('canvas.ink').evaluateHandle(
    (canvas, { columns, always }) => {
      const heights = columns.map(() => 0);
      // One that is often read is drawn elsewhere, so another one is read.
      const copy = Object.assign(document.createElement('canvas'), { width: columns.length, height: canvas.height });
      const context = copy.getContext('2d', { willReadFrequently: true });
      const look = () => {
        context.clearRect(0, 0, copy.width, copy.height);
        columns.forEach((column, x) => {
          context.drawImage(canvas, column * devicePixelRatio, 0, 1, canvas.height, x, 0, 1, canvas.height);
          const { data } = context.getImageData(x, 0, 1, canvas.height);
          const height = data.filter((value, place) => place % 4 === 3 && value > 40).length;
          heights[x] = Math.max(heights[x], height);
        });
      };
      const eachFrame = () => {
        look();
        requestAnimationFrame(eachFrame);
      };
      if (always) eachFrame();
      return { heights, look };
    },
    { columns: columns.map((column) => column + moved), always },
  );
  return () =>
    seen.evaluate(({ heights, look }) => {
      look();
      return heights;
    });
}
