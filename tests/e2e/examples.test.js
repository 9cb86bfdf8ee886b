/** The examples, each installed and started as its README says, against real peers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { launch, openPage, picture } from './browser.js';
import { at, emptyFolder, example, pack } from './packed.js';
import { Peer } from './peer.js';
import { until } from './until.js';

let browser, packed, peer;
const folders = [];

before(async () => {
  [browser, packed, peer] = await Promise.all([launch(), pack(), Peer.start()]);
});

after(async () => {
  await browser?.close();
  await peer?.stop();
  await packed?.done();
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function installed(name) {
  const folder = await example(name, packed.file);
  folders.push(folder);
  return folder;
}

/** A program of an example, and the lines that it printed. */
function start(folder, ...args) {
  return run(process.execPath, args, folder);
}

function run(file, args, folder) {
  const env = { ...process.env, PARLOR_HTTP: peer.http, PARLOR_TOKEN: peer.token, PORT: '0', NO_COLOR: '1' };
  const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const program = { lines: [], complaints: '', ended: once(child, 'exit').then(([code]) => code) };
  createInterface(child.stdout).on('line', (line) => program.lines.push(line));
  child.stderr.on('data', (text) => (program.complaints += text));
  program.end = () => (child.kill('SIGTERM'), program.ended);
  return program;
}

test('a web server with the routes of a presence page has two users in three tabs', async () => {
  const server = start(await installed('presence-page'), 'server.js');
  try {
    const url = await until('it says where it is', () => /Open (\S+)/.exec(server.lines[0])?.[1]);
    const enter = async (page, name) => {
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', { name: 'Come in' }).click();
      await page.getByRole('listitem').first().waitFor();
      return page;
    };
    const ada = await enter(await openPage(browser, url), 'Ada');
    // A second tab of the same browser has the same cookie, and a member of its own.
    const second = await ada.context().newPage();
    await second.goto(url);
    await enter(second, 'Ada');
    const lukasz = await enter(await openPage(browser, url), 'Łukasz');
    const shows = (page, ...rows) =>
      until(`it shows ${rows}`, async () => {
        const shown = await page.getByRole('listitem').allTextContents();
        return shown.join() === rows.join() || assert.deepEqual(shown, rows);
      });
    await shows(lukasz, 'Ada', 'Ada', 'Łukasz (this tab)');
    await shows(second, 'Ada', 'Ada (this tab)', 'Łukasz');

    // Typing is over by itself, on a busy machine before anybody looks: whoever goes on typing is seen to.
    const field = second.getByLabel('Write something');
    await until('it shows that somebody types', async () => {
      await field.fill('Hell');
      await field.press('o');
      await lukasz.getByText('Ada at 5, typing…').waitFor({ timeout: 1_000 });
      return true;
    });
    await picture(lukasz, 'example-presence-page');
    await shows(lukasz, 'Ada', 'Ada at 5', 'Łukasz (this tab)');

    await ada.getByRole('button', { name: 'Leave' }).click();
    await shows(lukasz, 'Ada at 5', 'Łukasz (this tab)');
    await second.close({ runBeforeUnload: false });
    await shows(lukasz, 'Łukasz (this tab)');
    assert.deepEqual([ada.troubles, lukasz.troubles, server.complaints], [[], [], '']);

    // Whoever has not said who they are is in no room.
    const refused = await fetch(new URL('/rooms/project_123/members', url));
    assert.equal(refused.status, 401);
  } finally {
    await server.end();
  }
});

test('thirty lines of a web page show who is here', async () => {
  const folder = await installed('page');
  const texts = await Promise.all(['index.html', 'page.js'].map((name) => readFile(join(folder, name), 'utf8')));
  assert.ok(texts.join('').trimEnd().split('\n').length <= 30);
  const serving = await Peer.serving(folder);
  try {
    const url = (id) => `${serving.url}&room=${id}`;
    const page = await openPage(browser, url('lobby'));
    await page.getByText('"status":"online"').waitFor();
    const guest = { id: 'heron', name: 'Calm Heron' };
    await serving.post('/rooms/lobby/join', { presence: { typing: true } }, guest);
    await page.getByText('Calm Heron {"typing":true}').waitFor();
    await serving.post('/rooms/lobby/presence', { presence: { typing: false } }, guest);
    await page.getByText('Calm Heron {"typing":false}').waitFor();
    await page.mouse.move(30, 40);
    await until('the pointer is known', async () => {
      const { members } = await serving.api('/rooms/lobby/members');
      return members.some(({ presence }) => presence.cursor?.x === 30 && presence.cursor.y === 40);
    });
    await picture(page, 'example-page');
    await serving.post('/rooms/lobby/leave', {}, guest);
    await page.getByText('Calm Heron').waitFor({ state: 'detached' });
    assert.deepEqual(page.troubles, []);
    await page.close();
    await until('the page has left', async () => (await serving.api('/rooms/lobby/members')).total === 0);
  } finally {
    await serving.stop();
  }
});

test('a bot joins, greets and answers', async () => {
  const bot = start(await installed('bot'), 'bot.js', 'standup');
  await until('it is in the room', () => bot.lines[0]?.endsWith('is in standup'));
  const said = async () => {
    const { messages } = await peer.api('/rooms/standup/messages');
    return messages.filter(({ actor }) => actor.name === 'Bot').map(({ data }) => data.text);
  };
  const ask = (text) => peer.post('/rooms/standup/messages', { type: 'chat', data: { text } }, { id: 'ada', name: 'Ada' });

  await peer.post('/rooms/standup/join', {}, { id: 'ada', name: 'Ada' });
  await until('it greets', async () => (await said())[0] === 'Welcome, Ada!');
  await peer.post('/rooms/standup/metadata', { metadata: { title: 'Monday' } }, { id: 'ada', name: 'Ada' });
  for (const [question, answer] of Object.entries({ '!ping': 'pong', '!who': 'Ada', '!title': 'Monday' })) {
    await ask(question);
    await until(`it answers ${question}`, async () => (await said())[0] === answer);
  }
  await ask('nothing that it knows');

  assert.equal(await bot.end(), 0);
  const { members } = await peer.api('/rooms/standup/members');
  assert.deepEqual([members.map(({ actor }) => actor.name), bot.complaints], [['Ada'], '']);
  assert.equal((await said()).length, 4);
});

test('an agent and a customer walk through a support room', async () => {
  const walk = start(await installed('support-room'), 'walk.js');
  assert.equal(await walk.ended, 0, walk.complaints);
  assert.deepEqual(walk.lines, [
    'the customer waits: Mara',
    'the agent looks: Mara, customer of plan team',
    'the customer sees: Tomasz came in',
    'the agent sees: Mara is typing',
    'the agent reads: Nobody can log in!',
    'the customer sees: priority urgent',
    'member: Mara, customer, waiting',
    'member: Tomasz, agent, online',
    'the customer sees: Tomasz left',
    'it stays: Nobody can log in, solved, 1 message',
  ]);
});

test('an editor shows the cursors and the words of two who write', async () => {
  // The packages of the interface's own tests are those of the example.
  const folder = await emptyFolder();
  folders.push(folder);
  await cp(at('examples/editor'), folder, { recursive: true, filter: (source) => !/node_modules|dist/.test(source) });
  await symlink(at('ui/node_modules'), join(folder, 'node_modules'));
  const vite = at('ui/node_modules/vite/bin/vite.js');
  const built = start(folder, vite, 'build', '--logLevel', 'warn');
  assert.equal(await built.ended, 0, built.complaints);
  const server = start(folder, vite, 'preview');
  try {
    const url = await until('it says where it is', () => /(http:\S+)/.exec(server.lines.join(' '))?.[1]);
    const ada = await openPage(browser, `${url}?room=text&name=Ada`);
    await ada.locator('.cm-content').pressSequentially('Hello');
    await ada.getByText('Hello').waitFor();
    const lukasz = await openPage(browser, `${url}?room=text&name=${encodeURIComponent('Łukasz')}`);
    // Who comes later is sent what was written before, and sees who is where.
    await lukasz.locator('.cm-content', { hasText: 'Hello' }).waitFor();
    await lukasz.locator('.cm-ySelectionInfo', { hasText: 'Ada' }).waitFor({ state: 'attached' });
    await lukasz.getByText('Ada, Łukasz').waitFor();

    await lukasz.locator('.cm-content').press('End');
    await lukasz.locator('.cm-content').pressSequentially(' world');
    await ada.locator('.cm-content', { hasText: 'Hello world' }).waitFor();
    await ada.locator('.cm-ySelectionInfo', { hasText: 'Łukasz' }).waitFor({ state: 'attached' });
    await picture(ada, 'example-editor');
    await lukasz.close();
    await ada.locator('.cm-ySelectionInfo', { hasText: 'Łukasz' }).waitFor({ state: 'detached' });
    assert.deepEqual([ada.troubles, await ada.getByRole('alert').textContent()], [[], '']);
  } finally {
    await server.end();
  }
});

test('the people of a room stand in a terminal', async () => {
  const program = join(dirname(process.env.PARLOR_BIN ?? at('target/debug/parlor')), 'examples/terminal');
  // In the same data folder they find each other without any network.
  const terminal = run(program, ['standup_2', peer.data], peer.data);
  const shows = (what, row) => until(what, () => terminal.lines.some((line) => row.test(line)), 15_000);
  const guest = { id: 'ada', name: 'Ada' };
  await peer.post('/rooms/standup_2/join', { presence: { status: 'busy' } }, guest);
  await shows('it shows who is there', /^ *Ada +.*busy/);
  await peer.post('/rooms/standup_2/presence', { presence: { typing: true } }, guest);
  await shows('it shows who types', /^ *Ada +.*typing/);
  await until('it is seen itself', async () => {
    const { members } = await peer.api('/rooms/standup_2/members');
    return members.some(({ metadata }) => metadata.device === 'terminal');
  });
  assert.equal(await terminal.end(), 0, terminal.complaints);
  const { members } = await peer.api('/rooms/standup_2/members');
  assert.deepEqual(members.map(({ actor }) => actor.name), ['Ada']);
});
