/** What goes wrong on one's own computer is said where it is seen, in full, and in the language that one reads. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, openPage, picture } from './browser.js';
import { Person } from './person.js';
import { until } from './until.js';

let browser, otter;

before(async () => {
  browser = await launch();
  otter = await Person.arrive(browser, 'Quiet Otter');
  await otter.introduce();
});

after(async () => {
  await otter?.leave();
  await browser?.close();
});

test('nobody answers at an address', async () => {
  await otter.at('dial-input').fill('127.0.0.1:1');
  await otter.at('dial').click();
  const alert = otter.page.getByRole('alert');
  await until('it is said', async () => (await alert.textContent()) === 'Nobody answers at 127.0.0.1:1.');
  assert.ok(await alert.evaluate((words) => words.getBoundingClientRect().bottom <= innerHeight));
});

test('a damaged file is said until it was read, in both languages', async () => {
  await otter.goHome();
  const files = await readdir(otter.peer.data, { recursive: true });
  const settings = files.find((file) => file.endsWith('settings.json'));
  await writeFile(join(otter.peer.data, settings), 'no settings');
  await otter.comeBack(browser);
  await otter.reads('unwell-bar', /Settings\.json was damaged and is kept as settings\.json\.damaged-\d+; a new name and colour are proposed\./);
  await picture(otter.page, 'unwell');
  await otter.page.context().close();
  otter.page = await openPage(browser, otter.peer.url, { locale: 'de-DE' });
  await otter.reads('unwell-bar', /settings\.json war beschädigt und liegt jetzt als settings\.json\.damaged-\d+ daneben\. Name und Farbe werden neu vorgeschlagen\./);
  await otter.at('unwell-bar').getByRole('button').click();
  await otter.seesNo('unwell-bar');
  assert.deepEqual(otter.page.troubles, []);
});
