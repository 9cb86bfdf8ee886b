// How the app begins and ends, as a shell and a window manager see it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Rig, until } from './rig.mjs';

let rig;
let screen;

before(() => (rig = new Rig()));
beforeEach(async () => (screen = await rig.screen()));
after(() => rig.end());

const windowOf = (pid) => async () => (await screen.x11.windows()).find((window) => window.pid === pid);

async function opened(profile, args = []) {
  const app = rig.launch(profile, { screen, args });
  await until(`the window of ${profile}`, windowOf(app.pid));
  return app;
}

test('without a screen it says what to run instead', async () => {
  const app = rig.launch('blind');
  assert.equal(await app.exited(), 2);
  assert.match(app.said(), /parlor serve/);
  assert.ok(!existsSync(rig.profileDir('blind')), 'nothing was made for a window that cannot open');
});

test('a screen that cannot be opened is no panic', async () => {
  const app = rig.launch('blind', { env: { DISPLAY: ':9999' } });
  assert.equal(await app.exited(), 2);
  assert.match(app.said(), /parlor serve/);
  assert.doesNotMatch(app.said(), /panicked/);
});

test('wrong use is told in words', async () => {
  const cases = [
    [['--listen', 'nonsense'], /nonsense/],
    [['--profile', '../up'], /profile/],
    [['--room', ''], /1 to 128 characters/],
    [['--nope'], /--nope/],
  ];
  for (const [args, words] of cases) {
    const app = rig.launch('wrong', { screen, args });
    assert.equal(await app.exited(), 2, args.join(' '));
    assert.match(app.said(), words);
  }
});

test('started again, the window that is open comes to the front', async () => {
  const first = await opened('one');
  const second = await opened('two');
  assert.equal((await screen.x11.windows()).at(-1).pid, second.pid, 'the newer window is in front');

  const again = rig.launch('one', { screen, args: ['--room', 'asked for'] });
  assert.equal(await again.exited(), 0);
  const front = async () => (await screen.x11.windows()).at(-1);
  await until('the first window in front', front, 5_000, (window) => window?.pid === first.pid);
  const windows = (await screen.x11.windows()).map((window) => window.pid).sort();
  assert.deepEqual(windows, [first.pid, second.pid].sort(), 'and there is no third');

  for (const app of [first, second]) process.kill(app.pid, 'SIGTERM');
  assert.deepEqual([await first.exited(), await second.exited()], [0, 0]);
});

test('closed by its window, by a signal or by Ctrl-C it ends well and leaves nothing behind', async () => {
  const ways = {
    window: async (app) => screen.x11.requestClose((await windowOf(app.pid)()).id),
    SIGTERM: (app) => process.kill(app.pid, 'SIGTERM'),
    SIGINT: (app) => process.kill(app.pid, 'SIGINT'),
  };
  for (const [way, end] of Object.entries(ways)) {
    const app = await opened('ends');
    const file = (name) => path.join(rig.profileDir('ends'), name);
    await until('the door of the window', () => existsSync(file('front.json')));
    assert.equal(statSync(file('front.json')).mode & 0o777, 0o600);
    const asked = performance.now();
    await end(app);
    assert.equal(await app.exited(), 0, way);
    assert.ok(performance.now() - asked < 2_000, `${way} took ${performance.now() - asked} ms`);
    assert.ok(!existsSync(file('front.json')), `${way} leaves no door`);
    assert.ok(!existsSync(file('peer.json')), `${way} leaves no address`);
    assert.doesNotMatch(app.said(), /panicked|ERROR/, way);
  }
});

test('a window killed is no obstacle to the next', async () => {
  const app = await opened('killed');
  await until('the door of the window', () => existsSync(path.join(rig.profileDir('killed'), 'front.json')));
  process.kill(app.pid, 'SIGKILL');
  await app.exited();
  const next = await opened('killed');
  await until('a door of its own', () => rig.read('killed', 'front.json').pid === next.pid);
  process.kill(next.pid, 'SIGTERM');
  assert.equal(await next.exited(), 0);
});

test('software rendering starts once more with the hints, under the same process id', async () => {
  const app = await opened('soft', ['--software-rendering']);
  const environment = readFileSync(`/proc/${app.pid}/environ`, 'utf8').split('\0');
  assert.ok(environment.includes('LIBGL_ALWAYS_SOFTWARE=1'));
  assert.ok(environment.includes('WEBKIT_DISABLE_COMPOSITING_MODE=1'));
  assert.ok(environment.includes('JSC_useGenerationalGC=false'));
  process.kill(app.pid, 'SIGTERM');
  assert.equal(await app.exited(), 0);
});
