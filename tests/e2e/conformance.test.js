/**
 * The table of cases that every surface is held against (`tests/conformance`), played by `parlor-client`: in Node, and in
 * a page of Chromium, as it is packed.
 */
import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { launch } from './browser.js';
import { play } from './conformance/play.js';
import { Surface } from './conformance/surface.js';
import { World } from './conformance/world.js';
import { at, emptyFolder, install, pack } from './packed.js';
import { Peer } from './peer.js';

/** So many at a time; most of them wait most of the time. */
const TOGETHER = 6;

const table = at('tests/conformance/cases');
const files = (await readdir(table)).sort();
const cases = (await Promise.all(files.map((file) => readFile(join(table, file), 'utf8')))).flatMap((text) => JSON.parse(text));

let browser, client, folder, packed;

before(async () => {
  [browser, folder, packed] = await Promise.all([launch(), emptyFolder(), pack()]);
  await install(folder, packed.file);
  client = await import(pathToFileURL(join(folder, 'node_modules/parlor-client/index.js')).href);
  // A page of the peer itself: no other may use its API.
  await writeFile(join(folder, 'index.html'), '<link rel="icon" href="data:," /><script type="module" src="page.js"></script>');
  await copyFile(at('tests/e2e/conformance/surface.js'), join(folder, 'surface.js'));
  await writeFile(
    join(folder, 'page.js'),
    `import { createLive } from './node_modules/parlor-client/index.js';
import { takeHash } from './node_modules/parlor-client/web.js';
import { Surface } from './surface.js';
const peer = { origin: location.origin, token: takeHash(location, history).token };
window.surface = new Surface({ createLive }, peer);
`,
  );
});

after(async () => {
  await browser?.close();
  await packed?.done();
  if (folder) await rm(folder, { recursive: true });
});

/** By the package in this process. */
function here(peer) {
  return new Surface(client, { origin: peer.http, token: peer.token });
}

/** By the package in a page. */
async function inPage(peer) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(peer.url);
  await page.waitForFunction(() => window.surface !== undefined);
  return {
    call: (...args) => page.evaluate((args) => window.surface.call(...args), args),
    listen: (room) => page.evaluate((room) => window.surface.listen(room), room),
    heard: (ears) => page.evaluate((ears) => window.surface.heard(ears), ears),
    close: () => context.close(),
  };
}

async function run(one, surfaceOfMe) {
  const world = await World.of(one.steps, () => Peer.serving(folder));
  const surfaces = new Map();
  try {
    surfaces.set('me', await surfaceOfMe(world.peer('me')));
    await play(one, world, (who) => {
      if (!surfaces.has(who)) surfaces.set(who, here(world.peer(who)));
      return surfaces.get(who);
    });
  } finally {
    for (const surface of surfaces.values()) await surface.close();
    await world.end();
  }
}

test('TypeScript does what every surface does', { concurrency: TOGETHER }, async (t) => {
  const all = Object.entries({ node: here, chromium: inPage }).flatMap(([surface, surfaceOfMe]) => {
    const mine = cases.filter(({ only }) => only === undefined || only.includes(surface));
    assert.ok(mine.length > 50);
    return mine.map((one) => t.test(`${surface}: ${one.name}`, () => run(one, surfaceOfMe)));
  });
  await Promise.all(all);
});
