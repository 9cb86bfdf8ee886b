/** What the README has people type, typed: the calls over HTTP and the program in TypeScript. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { at } from './packed.js';
import { Peer } from './peer.js';

const run = promisify(execFile);
let readme, peer;

before(async () => {
  [readme, peer] = await Promise.all([readFile(at('README.md'), 'utf8'), Peer.start()]);
});

after(() => peer?.stop());

/** The first block of a language after some words. */
function block(words, language) {
  const rest = readme.slice(readme.indexOf(words));
  const [, text] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(rest);
  return text;
}

test('each call over HTTP answers', async () => {
  const lines = block('**HTTP.**', 'sh').trimEnd().split('\n');
  const [define, ...calls] = lines.map((line) =>
    line.replace('Bearer secret', `Bearer ${peer.token}`).replaceAll('http://127.0.0.1:4750', peer.http),
  );
  assert.ok(define.startsWith('api() {') && calls.length >= 9, define);
  for (const call of calls) {
    assert.match(call, /^api /);
    const isStream = call.includes('api -N');
    // 28 is that of a time that is over, which is how somebody's Ctrl-C ends it here.
    const script = isStream ? `${define}\n${call.replace(/#.*/, '')} --max-time 1 || test $? = 28` : `${define}\n${call}`;
    const { stdout } = await run('bash', ['-c', script]);
    if (isStream) {
      assert.match(stdout, /^event: snapshot$/m);
      continue;
    }
    const answer = JSON.parse(stdout);
    assert.equal(answer.code, undefined, `${call}: ${stdout}`);
    assert.ok(['room', 'members', 'messages', 'id'].some((member) => member in answer), stdout);
  }
});

test('the program in TypeScript is that of the package, which runs', async () => {
  const client = await readFile(at('ui/client/README.md'), 'utf8');
  const [, program] = /```js\n(.*?)```/s.exec(client);
  assert.equal(block('**TypeScript.**', 'js'), program);
});

test('the peer that these talk to is that of the tour', () => {
  const served = [...readme.matchAll(/parlor serve --profile bot (--http \S+ --token \w+)/g)].map(([, options]) => options);
  assert.deepEqual(served, Array(2).fill('--http 127.0.0.1:4750 --token secret'));
  assert.ok(readme.lastIndexOf('parlor serve --profile bot --http') > readme.indexOf('**TypeScript.**'));
});
