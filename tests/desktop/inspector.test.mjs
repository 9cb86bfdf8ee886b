// The inspector has a window of its own beside the main one, sees what the peer does by a way that changes nothing, and
// goes when the main window goes.

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const rig = new Rig();
after(() => rig.end());
let window, main, inspector;

const shown = async () => (await window.screen.x11.windows()).filter(({ pid }) => pid === window.pid);

before(async () => {
  window = await rig.open('inside');
  const { page } = window;
  await page.type(one('name-input'), 'Quiet Otter');
  await page.click(one('first-run-start'));
  await page.type(one('start-room-input'), 'deck 3');
  await page.click(one('start-room'));
  await page.see(one('board'));
  [main] = await page.windows();
});

test('it opens beside the main window, once', async () => {
  const { page } = window;
  const open = async () => {
    await page.js(
      `document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', code: 'KeyK', ctrlKey: true, bubbles: true }))`,
    );
    await page.type(one('palette-input'), 'inspector');
    await page.click('[data-action="inspector"]');
  };
  await open();
  await until('two windows', async () => (await shown()).length === 2);
  assert.ok((await shown()).some(({ title }) => title === 'Parlor · Inspector'));
  inspector = (await page.windows()).find((handle) => handle !== main);
  assert.ok(inspector);
  await open();
  await page.turnTo(inspector);
  await page.see(one('tab-registers'));
  assert.equal((await shown()).length, 2);
});

test('it shows what is held, and frames as they go out', async () => {
  const { page } = window;
  assert.match(await until('whose it is', async () => (await page.texts(one('whose')))[0]), /Quiet Otter/);
  await until('the own name in presence', async () => (await page.texts('[data-column="value"]')).includes('"Quiet Otter"'));
  await page.click(one('tab-frames'));
  // A heartbeat goes out every two seconds, and more than one credit is needed to see two.
  await until('heartbeats', async () => {
    const kinds = await page.texts('[data-column="kind"]');
    return kinds.filter((kind) => kind === 'beat').length >= 2;
  });
  await window.screen.shoot('inspector', [1120, 720]);
  for (const panel of ['peers', 'mesh', 'convergence', 'refusals', 'people']) {
    await page.click(one(`tab-${panel}`));
    await page.see(`[data-panel="${panel}"]`);
  }
});

test('it saves a recording as a file, and plays one', async () => {
  const { page } = window;
  await page.click(one('tab-recorder'));
  await page.see(one('ring-inputs'));
  await page.click(one('recording-save'));
  const said = await until('where it is', async () => (await page.texts(one('recording-said')))[0]);
  const path = /^Saved: (.*\.parlor-recording)$/.exec(said)?.[1];
  assert.ok(path, said);
  const file = await readFile(path);
  await rm(path);
  assert.equal(file.subarray(0, 16).toString(), 'parlor-recording');
  assert.ok(!file.includes('Quiet Otter'), 'names are stand-ins');
  // The file goes to the peer and back as bytes.
  await page.click(one('recording-look'));
  await page.see(one('held'));
  const [place] = await page.texts(one('place'));
  const total = Number(/^Step [\d,]+ of ([\d,]+)/.exec(place)[1].replaceAll(',', ''));
  await page.click(one('step-back'));
  await until('one step back', async () => (await page.texts(one('place')))[0].startsWith(`Step ${(total - 1).toLocaleString('en')} of`));
  await page.see(`[data-testid="held"][data-step="${total - 1}"]`);
  assert.deepEqual(await page.texts(one('recording-wrong')), []);
});

test('it may change nothing', async () => {
  const { page } = window;
  const answer = await page.js(
    `const asked = (command, args) => window.__TAURI_INTERNALS__.invoke(command, args).then(() => 'done', String);
     globalThis.answers = [];
     for (const [command, args] of [['set_profile', { change: { name: 'Other' } }], ['join', { room: 'a' }], ['leave', { room: 'deck 3' }], ['new_identity', {}]])
       void asked(command, args).then((answer) => globalThis.answers.push(answer));
     return true`,
  );
  assert.equal(answer, true);
  const answers = await until('four answers', () => page.js('return globalThis.answers'), 10_000, (all) => all.length === 4);
  for (const refused of answers) assert.match(refused, /not allowed/);
});

test('it goes when the main window goes', async () => {
  const [{ id }] = (await shown()).filter(({ title }) => title !== 'Parlor · Inspector');
  await window.screen.x11.requestClose(id);
  await window.ended(3_000);
});
