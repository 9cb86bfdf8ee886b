/**
 * The tour: pictures of what people see, from real rooms. Eight people, each on a peer of their own; seven of them are
 * played by their API, with the presence that windows have, and the eighth looks and is looked at. Not a test: it makes
 * the pictures of the README, into the folder that is named.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { launch, openPage } from './browser.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

const folder = resolve(process.argv[2] ?? 'target/tour');
const ROOM = 'incident-4711';
const PRIVATE = 'night-watch';

/** Where each of the others is and what they do, in board units. */
const CREW = [
  { name: 'Brisk Heron', color: '#bc5806', role: 'incident_commander', status: 'on the bridge', at: [-330, -190] },
  { name: 'Merry Wren', color: '#ab4cc0', tool: 'pen', at: [260, -230] },
  { name: 'Calm Badger', color: '#0d8367', typing: true, at: [40, 40] },
  { name: 'Keen Ibex', color: '#d53b4a', status: 'back at 14:00', at: [-120, 170] },
  { name: 'Wise Marten', color: '#118186', tool: 'laser', at: [430, 90] },
  { name: 'Bold Lynx', color: '#996d07', status: 'away', at: null },
  { name: 'Sunny Finch', color: '#7d5ee0', at: [150, 210] },
];

const NOTES = [
  ['fuel', 'Generator 2\nno fuel pressure since 13:50', 'red', -430, -260],
  ['spare', 'Spare pump: harbour office, gate 4', 'yellow', -200, -260],
  ['east', 'East side is back 14:32', 'green', 60, -260],
  ['crane', 'Crane feed: fine', 'blue', 290, -260],
  ['breaker', 'Breaker 7 was open.\nWho opened it?', 'orange', -430, -70],
  ['next', 'Next\n1. pump from gate 4\n2. restart generator 2\n3. deck 3 back on', 'violet', -200, -70],
  ['radio', 'Bridge: radio channel 12', 'grey', 60, -70],
  ['log', 'Write times as hh:mm', 'pink', 290, -70],
];

const TALK = [
  [0, 'Power is out on deck 3, generator two does not start.'],
  [2, 'I have the key to the cable room. On my way.'],
  [1, 'Crane feed is fine: https://harbour.example/status'],
  [0, '@Quiet Otter you were at breaker 7 last week, was it open?'],
  ['self', 'It was closed when I left.'],
  [3, 'It is open now. Closing it.'],
  [3, 'East side is back.'],
];

const crew = [];
let browser, otter;

async function shoot(name, page = otter.page) {
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  console.log(join(folder, `${name}.png`));
}

const at = (room, call) => `/rooms/${encodeURIComponent(room)}/${call}`;

async function post(peer, room, call, body) {
  const { status, body: answer } = await peer.post(at(room, call), body);
  if (status !== 200) throw new Error(`${call}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Everybody moves a little, so that cursors show whose they are. */
async function stir(step) {
  const moves = CREW.map(({ at: place, typing }, i) => {
    if (place === null) return undefined;
    const presence = { cursor: { x: place[0] + step * 3, y: place[1] - step * 2 }, ...(typing ? { typing } : {}) };
    return post(crew[i], ROOM, 'presence', { presence, expire: typing ? { typing: 6000 } : {} });
  });
  await Promise.all(moves);
}

async function begin() {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.page.setViewportSize({ width: 1280, height: 800 });
  await otter.sees('first-run');
  await shoot('first-run');
  await otter.introduce();
  await otter.peer.post('/profile', { color: '#286fe3' });
  for (const { name } of CREW) {
    const peer = await Peer.start(otter.peer, ...crew.slice(-1));
    await peer.post('/profile', { name });
    crew.push(peer);
  }
  for (const [i, { name, color, at: place, status = 'online', tool = 'select', role }] of CREW.entries()) {
    const viewport = { x: (place?.[0] ?? 0) - 640, y: (place?.[1] ?? 0) - 400, w: 1280, h: 800, zoom: 1 };
    const presence = { name, color, status, tool, viewport, ...(role === undefined ? {} : { role }) };
    await post(crew[i], ROOM, 'join', { presence });
  }
  const [commander] = crew;
  await post(commander, ROOM, 'metadata', {
    metadata: { title: 'Power out on deck 3', mode: 'war_room', bridge: 'Radio channel 12', runbook: 'Page 7' },
  });
  const set = NOTES.map(([id, text, color, x, y], z) => ({ id, text, color, x, y, z, w: 210, h: 150 }));
  await post(commander, ROOM, 'board', { set });
  await until('the room is near', async () => (await otter.page.getByText('Power out on deck 3').count()) > 0);
}

async function home() {
  await shoot('home');
  await otter.page.getByText('Power out on deck 3').first().click();
  await otter.sees('board');
  await until('all are there', async () => (await otter.members(ROOM)).length === 8);
}

async function room() {
  for (const [who, text] of TALK) {
    const body = { type: 'chat', data: { text }, keep: true };
    await post(who === 'self' ? otter.peer : crew[who], ROOM, 'messages', body);
  }
  await post(crew[2], ROOM, 'presence', { presence: { editing: { note: 'next', from: 12, to: 29 } }, expire: { editing: 9000 } });
  await post(crew[4], ROOM, 'presence', { presence: { selection: { x: 250, y: -290, w: 290, h: 200 } } });
  await otter.at('messages-toggle').first().click();
  await otter.sees('message-log');
  await otter.page.keyboard.press('1');
  await otter.page.mouse.move(520, 700);
  for (let step = 0; step < 6; step++) await stir(step);
  await shoot('room');
  await otter.page.emulateMedia({ colorScheme: 'dark' });
  for (let step = 6; step < 9; step++) await stir(step);
  await shoot('room-dark');
  await otter.page.emulateMedia({ colorScheme: 'light' });
}

async function people() {
  await otter.at('people-toggle').first().click();
  await otter.sees('member-row');
  for (let step = 9; step < 12; step++) await stir(step);
  await shoot('people');
  const [heron] = (await otter.members(ROOM)).filter(({ actor }) => actor.name === 'Brisk Heron');
  await otter.at('avatar', { id: heron.memberId }).first().click();
  await otter.sees('follow-frame');
  for (let step = 12; step < 15; step++) await stir(step);
  await shoot('follow');
  await otter.page.keyboard.press('Escape');
}

async function around() {
  await otter.page.keyboard.press('Control+k');
  await otter.page.getByRole('dialog').first().waitFor();
  await shoot('palette');
  await otter.page.keyboard.press('Escape');
  await otter.at('details-toggle').first().click();
  await otter.sees('details-panel');
  await shoot('details');
  await otter.at('invite').first().click();
  await otter.sees('invite-link');
  await shoot('invite');
  await otter.page.keyboard.press('Escape');
  await otter.page.setViewportSize({ width: 720, height: 480 });
  for (let step = 15; step < 17; step++) await stir(step);
  await shoot('narrow');
  await otter.page.setViewportSize({ width: 1280, height: 800 });
}

/** A private room with hosts and a lock, made by the one who looks. */
async function hosts() {
  await otter.at('leave-room').first().click();
  const { body } = await otter.peer.post('/rooms', { room: PRIVATE, private: true });
  for (const [i, { name, color }] of CREW.slice(0, 3).entries()) {
    const joined = await crew[i].post(at(PRIVATE, 'join'), { ticket: body.ticket, presence: { name, color, status: 'online' } });
    if (joined.status !== 200) throw new Error(JSON.stringify(joined.body));
  }
  await otter.page.reload();
  await otter.page.goto('about:blank');
  await otter.page.goto(otter.peer.url);
  await otter.page.getByText(PRIVATE).first().click();
  await otter.sees('board');
  await until('all four', async () => (await otter.members(PRIVATE)).length === 4);
  const heron = (await otter.members(PRIVATE)).find(({ actor }) => actor.name === 'Brisk Heron');
  await post(otter.peer, PRIVATE, 'access', { hosts: { [heron.actor.userId]: true } });
  await post(otter.peer, PRIVATE, 'metadata', { metadata: { title: 'Night watch', locked: true } });
  await otter.at('details-toggle').first().click();
  await otter.sees('details-panel');
  await shoot('private');
}

/** What the inspector says of a title that two wrote before they met. */
async function inside() {
  const late = await Peer.start();
  crew.push(late);
  await late.post('/profile', { name: 'Early Crane' });
  await post(late, ROOM, 'join', { presence: { name: 'Early Crane', status: 'online' } });
  await post(late, ROOM, 'metadata', { metadata: { title: 'Deck 3 is dark' } });
  await post(crew[0], ROOM, 'metadata', { metadata: { title: 'Power out on decks 3 and 4' } });
  const page = await openPage(browser, `${late.http}/inspector#token=${late.token}`, { viewport: { width: 1280, height: 560 } });
  await page.locator('[data-testid=rows]').waitFor();
  await late.post('/peers', { addr: crew[0].listen[0] });
  await page.locator('[data-testid=filter]').fill('-kind:presence -kind:roster -key:w -key:h -key:z');
  const title = page.locator('[data-row*="metadata"][data-row$="title"]');
  await until('the write that lost', async () => (await title.locator('[data-column=lost]').textContent()) === '1', 20_000);
  await title.click();
  await until('names', async () => /Brisk Heron/.test(await page.locator('[data-testid=losses]').textContent()), 20_000);
  await shoot('inspector', page);
  await page.context().close();
}

try {
  await begin();
  for (const part of [home, room, people, around, inside, hosts]) await part();
} finally {
  await otter?.leave();
  await Promise.all(crew.map((peer) => peer.stop()));
  await browser?.close();
}
