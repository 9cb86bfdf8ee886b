/**
 * What the interface costs, in Chromium against real peers: 64 cursors that move, a pointer until it is drawn at another
 * peer, a room in which nothing happens, and what a page loads before it can be used. Not a test: it prints a table and
 * writes `ui.json` into the folder that is named. Ends with 1 when something that must be reached was not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';

import { Figures, pause, quantile } from '../figures.mjs';
import { launch } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

const folder = resolve(process.argv[2] ?? 'target/bench');
const pages = process.env.PARLOR_UI_DIR;
const ROOM = 'bench';
const CROWD = 64;
const HERTZ = 30;
/** A frame that is longer than this is one that people see. */
const LONG_MS = 50;
const WATCH_MS = 10_000;
const MOVES = 40;

const figures = new Figures();

let browser, here, there;

/** Both in one room. */
async function begin() {
  browser = await launch();
  here = await Person.arrive(browser, 'Quiet Otter');
  await here.introduce();
  await enter(here);
  there = await Person.arrive(browser, 'Brisk Heron', here);
  await there.introduce();
  await enter(there);
  for (const [one, other] of [
    [here, there],
    [there, here],
  ])
    await one.sees('avatar', other);
}

async function enter(person) {
  await person.at('start-room-input').fill(ROOM);
  await person.at('start-room').click();
  await person.sees('board');
}

/** From a pointer event in one page to the frame in which the other page draws it. */
async function pointer() {
  const cursor = `[data-testid="cursor"][data-member="${here.id}"]`;
  const box = await here.board();
  await here.page.mouse.move(box.x + 200, box.y + 200);
  await there.sees('cursor', here);
  const place = () =>
    there.page.evaluate((selector) => document.querySelector(selector).getBoundingClientRect().x, cursor);
  const took = [];
  for (let move = 0; move < MOVES; move++) {
    // Rested, so that each is a move of its own.
    const before = box.x + (move % 2 === 0 ? 200 : 420);
    await until('the cursor rests where the pointer is', async () => Math.abs((await place()) - before) < 2);
    const drawn = there.page.evaluate(
      ({ selector, from }) =>
        new Promise((done) => {
          const look = () => {
            const x = document.querySelector(selector).getBoundingClientRect().x;
            if (Math.abs(x - from) > 2) done(performance.timeOrigin + performance.now());
            else requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }),
      { selector: cursor, from: before },
    );
    const told = here.page.evaluate(
      () =>
        new Promise((done) =>
          addEventListener('pointermove', (event) => done(performance.timeOrigin + event.timeStamp), { once: true, capture: true }),
        ),
    );
    await here.page.mouse.move(box.x + (move % 2 === 0 ? 420 : 200), box.y + 200);
    took.push((await drawn) - (await told));
    await pause(150);
  }
  figures.add('a pointer until the other page begins to draw it, p50', quantile(took, 0.5), 'ms', 80);
  figures.add('the same, p95', quantile(took, 0.95), 'ms', 80);
}

/** A crowd of another peer, everybody of it moving. */
async function crowd() {
  const args = ['crowd', ROOM, here.peer.listen[0], CROWD, HERTZ].map(String);
  const process_ = spawn(process.env.PARLOR_BENCH, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(createInterface(process_.stdout), 'line');
    await until('the crowd is there', async () => (await there.members(ROOM)).length === CROWD + 2);
    const drawn = there.page.locator('[data-testid="cursor"]');
    await until('its cursors are drawn', async () => (await drawn.count()) >= CROWD);
    await pause(1_000);
    const times = await frameTimes(there.page, WATCH_MS);
    const late = times.filter((ms) => ms > LONG_MS).length;
    console.error(`${times.length} frames in ${WATCH_MS} ms, ${((100 * late) / times.length).toFixed(1)} % of them later than ${LONG_MS} ms`);
    const events = await traced(there.page, WATCH_MS);
    const frames = animationFrames(events);
    if (frames.length < WATCH_MS / 100) throw new Error(`the trace has ${frames.length} frames`);
    const long = frames.filter((ms) => ms > LONG_MS).length;
    figures.add(`${CROWD} moving cursors: long frames in a hundred`, (100 * long) / frames.length, '%', 1);
    figures.add(`${CROWD} moving cursors: a frame, p95`, quantile(frames, 0.95), 'ms', LONG_MS);
    const works = callbacks(events).map(({ dur }) => dur / 1000);
    figures.add(`${CROWD} moving cursors: what its callback takes, p95`, quantile(works, 0.95), 'ms', LONG_MS);
  } finally {
    process_.stdin.write('enough\n');
    await once(process_, 'exit');
  }
  await until('the crowd is gone', async () => (await there.members(ROOM)).length === 2);
}

/** Milliseconds between frames of a page. */
function frameTimes(page, ms) {
  return page.evaluate(
    (ms) =>
      new Promise((done) => {
        const times = [];
        const end = performance.now() + ms;
        let last = performance.now();
        const next = (now) => {
          times.push(now - last);
          last = now;
          if (now < end) requestAnimationFrame(next);
          else done(times.slice(1));
        };
        requestAnimationFrame(next);
      }),
    ms,
  );
}

/** Milliseconds of each frame from its first task until it was rendered, as Chromium's own trace has them. */
function animationFrames(events) {
  const begun = new Map();
  const took = [];
  for (const { name, ph, ts, id, id2, pid } of events.sort((a, b) => a.ts - b.ts)) {
    if (name !== 'AnimationFrame') continue;
    const key = `${pid} ${id2?.local ?? id}`;
    if (ph === 'b') begun.set(key, ts);
    else if (ph === 'e' && begun.has(key)) {
      took.push((ts - begun.get(key)) / 1000);
      begun.delete(key);
    }
  }
  return took;
}

const callbacks = (events) => events.filter(({ name, ph }) => name === 'FireAnimationFrame' && ph === 'X');

/** What Chromium's own trace has of a while. */
async function traced(page, ms) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const traceConfig = { includedCategories: ['devtools.timeline'] };
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  await pause(ms);
  const complete = new Promise((ended) => session.once('Tracing.tracingComplete', ended));
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return events;
}

/** Nobody does anything: nothing is drawn, and hardly any processor is used. */
async function idle() {
  await here.page.mouse.move(0, 0);
  await there.page.mouse.move(0, 0);
  await pause(14_000); // labels fade, toasts go, cursors rest
  const session = await there.page.context().newCDPSession(there.page);
  await session.send('Performance.enable');
  const metrics = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const before = await metrics();
  await pause(WATCH_MS);
  const after = await metrics();
  const busy = (after.TaskDuration - before.TaskDuration) / (after.Timestamp - before.Timestamp);
  figures.add('an idle room: work of the page', 100 * busy, '% of a core', 0.5);
  figures.add('an idle room: frames of animation in ten seconds', callbacks(await traced(there.page, WATCH_MS)).length, '', 0);
}

/** What the first page needs, as it is sent. */
async function weight() {
  const html = await readFile(join(pages, 'index.html'), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+\.js)"/g)].map(([, file]) => file);
  const all = new Set(named);
  // What those import at once.
  for (const file of all) {
    const text = await readFile(join(pages, file), 'utf8');
    for (const [, other] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) all.add(`assets/${other}`);
  }
  const bytes = await Promise.all([...all].map(async (file) => gzipSync(await readFile(join(pages, file))).length));
  figures.add('script that a window loads at its start, packed', bytes.reduce((sum, one) => sum + one, 0) / 1024, 'KiB', 150);
  const count = (await readdir(join(pages, 'assets'))).filter((file) => file.endsWith('.js')).length;
  console.error(`${all.size} of ${count} scripts at the start`);
}

/** From asking for the page to a home screen that takes a click. */
async function start() {
  const took = [];
  for (let n = 0; n < 5; n++) {
    await there.page.goto('about:blank');
    const begun = performance.now();
    await there.page.goto(there.peer.url);
    await there.at('start-room').first().waitFor();
    took.push(performance.now() - begun);
  }
  figures.add('from asking for the page to a home screen, p50 of five', quantile(took, 0.5), 'ms', 1_000);
}

try {
  await weight();
  await begin();
  for (const part of [pointer, crowd, idle]) await part();
  await there.at('leave-room').first().click();
  await start();
} finally {
  for (const person of [here, there]) await person?.leave();
  await browser?.close();
}
await figures.publish(folder, 'ui.json');
