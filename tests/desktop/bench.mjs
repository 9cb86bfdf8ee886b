// What the window costs where it runs on Linux: WebKitGTK, painting with the processor, on a screen that nobody sees.
// From a start until the window can be used, from a key or the pointer until it is painted, from the pointer in one window
// until another paints it, what a room costs in which nothing happens, and the memory of a window that stays open. Not a
// test: it prints a table and writes `window.json` into the folder that is named. Ends with 1 when something that must be
// reached was not.
//
//   node bench.mjs FOLDER [--minutes N]     memory is watched for 30 minutes unless told otherwise

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { Figures, pause, quantile } from '../figures.mjs';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '30' } },
  allowPositionals: true,
});
const folder = resolve(positionals[0] ?? 'target/bench');
const minutes = Number(values.minutes);
const ROOM = 'bench';
const HERTZ = 30;
/** Beside the two windows: sixteen members. */
const CROWD = 14;
const STARTS = 5;
const INPUTS = 100;
/** Enough that the p95 is not the second worst. */
const MOVES = 200;
const IDLE_MS = 10_000;
/** Before this, memory is that of a window which just opened. */
const WARM_MINUTES = 2;
/** What stands for a moment: the median of so many minutes. */
const SPAN_MINUTES = 3;
const EVERY_MS = 5_000;

const figures = new Figures();

const rig = new Rig();

/** Until the window is shown, which is a paint after its page can be used. */
async function starts() {
  const screen = await rig.screen();
  const took = [];
  for (let n = 0; n < STARTS; n++) {
    const begun = performance.now();
    const window = rig.launch(`start-${n}`, { screen, env: { PARLOR_LOG: 'parlor_desktop=info' } });
    await until('the window to be shown', () => window.said().includes('the window is shown'), 30_000);
    took.push(performance.now() - begun);
    process.kill(window.pid, 'SIGTERM');
    await window.exited();
  }
  figures.add(`from a start to a window that can be used, p50 of ${STARTS}`, quantile(took, 0.5), 'ms', 1_000);
}

async function arrive(profile) {
  const window = await rig.open(profile);
  await window.page.see(one('first-run'), 30_000);
  await window.page.type(one('name-input'), profile);
  await window.page.click(one('first-run-start'));
  await window.page.type(one('start-room-input'), ROOM);
  await window.page.click(one('start-room'));
  await window.page.see(one('board'));
  return window;
}

/** Every event of a kind, until the frame that shows it has been painted: what is posted in a frame comes after it. */
const WATCH_PAINTS = `
  const [kind] = arguments;
  window.paints = [];
  window.watching?.abort();
  window.watching = new AbortController();
  addEventListener(kind, (event) => {
    const at = event.timeStamp;
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = () => window.paints.push(performance.now() - at);
      painted.port2.postMessage(null);
    });
  }, { capture: true, signal: window.watching.signal });`;

async function paints(page, kind, act) {
  await page.js(WATCH_PAINTS, kind);
  await act();
  await pause(200);
  return page.js('window.watching.abort(); return window.paints');
}

async function inputs({ page }) {
  const points = Array.from({ length: INPUTS }, (_, n) => [Math.round(200 * Math.cos(n / 8)), Math.round(120 * Math.sin(n / 8))]);
  const moved = await paints(page, 'pointermove', () => page.move(one('board'), points, 16));
  figures.add(`a move of the pointer until it is painted, p95 of ${moved.length}`, quantile(moved, 0.95), 'ms', 50);
  await page.press('/');
  const typed = await paints(page, 'input', () => page.type(one('chat-input'), 'What is typed appears as it is typed. '.repeat(3)));
  await page.press('\uE00C');
  figures.add(`a key until it is painted, p95 of ${typed.length}`, quantile(typed, 0.95), 'ms', 50);
  if (moved.length < INPUTS / 2 || typed.length < INPUTS / 2) throw new Error('the page heard too little');
}

/** From a pointer event in one window to the frame of the other in which its cursor has begun to move. */
async function pointer(first, second) {
  await first.page.move(one('board'), [[-110, 0]]);
  const cursor = one('cursor'); // of the only other person
  await second.page.see(cursor);
  const x = () => second.page.js('return document.querySelector(arguments[0]).getBoundingClientRect().x', cursor);
  let rest = NaN;
  const rested = async () => {
    const before = rest;
    rest = await x();
    return Math.abs(rest - before) < 0.5;
  };
  const took = [];
  for (let move = 0; move < MOVES; move++) {
    await until('the cursor to rest', rested, 5_000);
    await second.page.js(
      `const [selector, from] = arguments;
       window.drawn = null;
       const look = () => {
         if (Math.abs(document.querySelector(selector).getBoundingClientRect().x - from) < 2) return requestAnimationFrame(look);
         const painted = new MessageChannel();
         painted.port1.onmessage = () => (window.drawn = Date.now());
         painted.port2.postMessage(null);
       };
       requestAnimationFrame(look);`,
      cursor,
      rest,
    );
    await first.page.js(
      `window.moved = null;
       addEventListener('pointermove', (event) => (window.moved = Date.now() - (performance.now() - event.timeStamp)),
         { once: true, capture: true });`,
    );
    await first.page.move(one('board'), [[move % 2 === 0 ? 110 : -110, 0]], 0);
    const drawn = await until('the move to be drawn', () => second.page.js('return window.drawn'), 5_000);
    took.push(drawn - (await first.page.js('return window.moved')));
  }
  figures.add('the pointer in one window until the other paints it, p50', quantile(took, 0.5), 'ms', 80);
  figures.add('the same, p95', quantile(took, 0.95), 'ms', 80);
}

/** The process that renders the page of a window: a child of it, or of a child. */
function renderer(pid) {
  const stat = (pid) => {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')), parent: Number(rest[1]), ticks: Number(rest[11]) + Number(rest[12]) };
  };
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      return [{ pid: Number(name), ...stat(name) }];
    } catch {
      return []; // it has ended
    }
  });
  const under = (parent) => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...under(one.pid)]);
  const found = under(pid).find(({ name }) => name.startsWith('WebKitWebProces'));
  if (!found) throw new Error(`no renderer under ${pid}`);
  return { pid: found.pid, ticks: () => stat(found.pid).ticks };
}

/** MiB that are in memory because of a process. */
function weight(pid) {
  const [, kib] = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+) kB/m);
  return Number(kib) / 1024;
}

async function idle(first, second) {
  await first.page.move(one('leave-room'), [[0, 0]]);
  await second.page.move(one('leave-room'), [[0, 0]]);
  await pause(14_000); // labels fade, toasts go, cursors rest
  const page = renderer(second.pid);
  const frames = `window.frames = 0; const draw = window.requestAnimationFrame; window.drawAgain = draw;
    window.requestAnimationFrame = (then) => { window.frames++; return draw.call(window, then); };`;
  await second.page.js(frames);
  const before = page.ticks();
  await pause(IDLE_MS);
  const used = (page.ticks() - before) / 100 / (IDLE_MS / 1_000);
  const asked = await second.page.js('window.requestAnimationFrame = window.drawAgain; return window.frames');
  figures.add('an idle room: the process of the page', 100 * used, '% of a core', 0.5);
  figures.add('an idle room: frames that were asked for in ten seconds', asked, '', 0);
}

/** Sixteen members, fourteen of whom move all the time. */
async function memory(first, second) {
  const args = ['crowd', ROOM, rig.read('first', 'peer.json').listen[0], CROWD, HERTZ].map(String);
  const crowd = spawn(process.env.PARLOR_BENCH, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(createInterface(crowd.stdout), 'line');
    const drawn = () => second.page.texts(one('cursor'));
    await until('the cursors to be drawn', drawn, 10_000, (texts) => texts.length >= CROWD);
    const { pid } = renderer(second.pid);
    const begun = performance.now();
    const seen = [];
    while (performance.now() - begun < minutes * 60_000) {
      await pause(EVERY_MS);
      seen.push({ minute: (performance.now() - begun) / 60_000, mib: weight(pid) });
    }
    const within = (from, to) => quantile(seen.filter(({ minute }) => minute >= from && minute < to).map(({ mib }) => mib), 0.5);
    const warm = Math.min(WARM_MINUTES, minutes / 4);
    const span = Math.min(SPAN_MINUTES, minutes / 4);
    const [before, after] = [within(warm, warm + span), within(minutes - span, Infinity)];
    console.error(`memory of the page: ${before.toFixed(0)} MiB, and ${after.toFixed(0)} MiB after ${minutes} minutes`);
    figures.add(`${CROWD + 2} members, ${minutes} minutes: growth of the page's memory`, after - before, 'MiB', 20);
  } finally {
    crowd.stdin.write('enough\n');
    await once(crowd, 'exit');
  }
}

try {
  await starts();
  const first = await arrive('first');
  const second = await arrive('second');
  await until('both to be there', () => second.page.texts(one('avatar')), 10_000, (texts) => texts.length === 2);
  await pointer(first, second);
  await inputs(first);
  await idle(first, second);
  await memory(first, second);
} finally {
  await rig.end();
}
await figures.publish(folder, 'window.json');
