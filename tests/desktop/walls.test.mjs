// What a script in the window could not do, if one ever ran there.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

let rig;
let window;
let elsewhere;
let address;
const asked = [];

before(async () => {
  elsewhere = http.createServer((request, response) => {
    asked.push(request.url);
    response.setHeader('Access-Control-Allow-Origin', '*').end('<title>Elsewhere</title>');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  address = `http://127.0.0.1:${elsewhere.address().port}/`;
  rig = new Rig();
  window = await rig.open('walls');
  await window.page.see(one('first-run'));
});
after(async () => {
  await rig.end();
  elsewhere.close();
});

test('it goes nowhere and opens nothing', async () => {
  const { page, pid, screen } = window;
  await page.js('globalThis.before = true; location.href = arguments[0] + "going"', address);
  // A click of a person's own would be reason enough for a browser to open another window.
  await page.js(
    `const [address] = arguments;
     const opener = document.createElement('button');
     Object.assign(opener.style, { position: 'fixed', inset: '0', zIndex: 9999 });
     opener.dataset.testid = 'opener';
     opener.onclick = () => { globalThis.other = open(address + 'opening'); opener.remove(); };
     document.body.append(opener);`,
    address,
  );
  await page.click(one('opener'));
  await page.js('document.body.append(Object.assign(document.createElement("a"), { href: arguments[0] + "link", id: "away" }))', address);
  await page.js('document.getElementById("away").click(); document.getElementById("away").remove()');
  // The page is the one it was.
  await until('an answer of the page', () => page.js('return globalThis.before === true && globalThis.other === null'));
  assert.match(await page.js('return location.href'), /^tauri:\/\/localhost/);
  const windows = (await screen.x11.windows()).filter((one) => one.pid === pid);
  assert.equal(windows.length, 1);
});

test('it loads and sends nothing', async () => {
  const { page } = window;
  await page.js(
    `const [address] = arguments;
     globalThis.blocked = [];
     addEventListener('securitypolicyviolation', (event) => globalThis.blocked.push(event.effectiveDirective));
     fetch(address + 'fetch').catch(() => {});
     navigator.sendBeacon?.(address + 'beacon');
     try { new WebSocket(address.replace('http', 'ws') + 'ws'); } catch {}
     try { new EventSource(address + 'events'); } catch {}
     new Image().src = address + 'image';
     for (const [tag, more] of [['link', { rel: 'stylesheet', href: address + 'css' }], ['iframe', { src: address + 'frame' }]])
       document.body.append(Object.assign(document.createElement(tag), more));`,
    address,
  );
  const wanted = ['connect-src', 'frame-src', 'img-src', 'style-src-elem'];
  await until('refusals of all kinds', async () => {
    const blocked = await page.js('return globalThis.blocked');
    return wanted.every((rule) => blocked.includes(rule));
  });
});

test('no text becomes an element or code', async () => {
  const { page } = window;
  // In a handler of the page's own, since what a driver runs stands above the page's policy.
  const tried = await page.js(
    `const done = {};
     const tries = {
       eval: () => eval('1'),
       function: () => new Function('return 1')(),
       timer: () => setTimeout('globalThis.ran = true'),
       script: () => document.body.append(Object.assign(document.createElement('script'), { text: 'globalThis.ran = true' })),
       handler: () => document.body.setAttribute('onclick', 'globalThis.ran = true'),
     };
     addEventListener('walls', () => {
       for (const [name, run] of Object.entries(tries)) {
         try { run(); done[name] = 'done'; } catch (error) { done[name] = error.name; }
       }
       document.body.click();
     }, { once: true });
     dispatchEvent(new Event('walls'));
     return done;`,
  );
  assert.equal(tried.eval, 'EvalError');
  assert.equal(tried.function, 'EvalError');
  assert.equal(await page.js('return globalThis.ran'), null);
});

test('it may call nothing of the system', async () => {
  const { page } = window;
  const commands = ['plugin:window|close', 'plugin:webview|create_webview_window', 'plugin:fs|read_file', 'plugin:shell|open'];
  commands.push('plugin:app|version', 'plugin:path|resolve_directory', 'plugin:event|emit', 'no_such_command');
  await page.js(
    `globalThis.answers = {};
     for (const command of arguments[0]) {
       globalThis.__TAURI_INTERNALS__.invoke(command, {}).then(
         () => (globalThis.answers[command] = 'allowed'),
         (error) => (globalThis.answers[command] = String(error)),
       );
     }`,
    commands,
  );
  const answers = await until('all answers', () => page.js('return globalThis.answers'), 10_000, (all) => Object.keys(all).length === commands.length);
  for (const [command, answer] of Object.entries(answers)) assert.match(answer, /not allowed|not found/i, command);
});

test('nothing came out', () => assert.deepEqual(asked, []));
