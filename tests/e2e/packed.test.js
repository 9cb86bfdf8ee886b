/** `parlor-client` as it is packed, in a project that has nothing else: what its README writes runs, and has types. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { at, emptyFolder, install, pack } from './packed.js';
import { Peer } from './peer.js';

const run = promisify(execFile);
let folder, packed, peer;

before(async () => {
  [folder, packed, peer] = await Promise.all([emptyFolder(), pack(), Peer.start()]);
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await install(folder, packed.file);
});

after(async () => {
  await peer?.stop();
  await packed?.done();
  if (folder) await rm(folder, { recursive: true });
});

test('it brings nothing along, and only what is made', async () => {
  const modules = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
  assert.deepEqual(modules, ['parlor-client']);
  const files = await readdir(join(folder, 'node_modules/parlor-client'), { recursive: true });
  assert.deepEqual(files.filter((name) => /\.test\.|fake/.test(name)), []);
  assert.ok(files.includes('README.md') && files.includes('LICENSE'));
});

test('the first program of its README has ten lines at most, and runs', async () => {
  const text = await readFile(join(folder, 'node_modules/parlor-client/README.md'), 'utf8');
  const [, program] = /```js\n(.*?)```/s.exec(text);
  assert.ok(program.trim().split('\n').length <= 10);
  const here = program.replace('http://127.0.0.1:4750', peer.http).replace("'secret'", `'${peer.token}'`);
  await writeFile(join(folder, 'first.js'), `${here}\nprocess.exit();\n`);
  const { stdout } = await run(process.execPath, ['first.js'], { cwd: folder });
  assert.match(stdout, /memberId: 'u_\w+'/);
  assert.match(stdout, /cursor: 128/);
});

test('its types are those of a strict project, which it tells what is wrong', async () => {
  await writeFile(
    join(folder, 'typed.ts'),
    `import { createLive, ParlorError, RoomAwareness, type Guest, type Message, type Room } from 'parlor-client';
import { webBackend } from 'parlor-client/web';
interface Cursor { cursor: number; typing?: boolean }
interface About { role: 'host' | 'guest' }
/** As AsyncLocalStorage has it: nobody outside of a request. */
declare const users: { getStore(): Guest | undefined };
const live = createLive({ origin: 'http://127.0.0.1:4750', token: 'secret', resolveActor: () => users.getStore() });
createLive({ origin: 'http://127.0.0.1:4750', token: 'secret', resolveActor: async () => users.getStore() ?? null });
const room: Room<Cursor, { title: string }, About> = live.room<Cursor, { title: string }, About>('project_123');
export async function all(): Promise<number> {
  const me = await room.join({ presence: { cursor: 1 }, metadata: { role: 'host' } });
  const role: 'host' | 'guest' = me.metadata.role;
  await room.presence({ presence: { typing: true }, expire: { typing: 5000 }, unset: ['typing'] });
  await room.metadata({ unset: ['title'] });
  await live.room('any').presence({ presence: { a: 1 }, expire: { a: 5000 }, unset: ['b'] });
  const page = await room.membersPage({ cursor: undefined });
  for (const { metadata, presence } of page.members) console.log(role === metadata.role, presence.typing);
  room.on('board', (notes, removed) => console.log(notes[0]?.text, removed.length, room.board({ remove: removed })));
  room.on('watching', (count) => console.log(count + 1));
  console.log((await live.rooms())[0]?.title, (await live.createRoom('plans', { private: true })).private, (await room.ticket()).link);
  const { metadata } = await room.metadata({ metadata: { title: 'Incident response' } });
  const end = room.on('left', (member, reason) => console.log(member.presence.cursor, reason === 'expired'));
  end();
  try { await room.presence({ presence: { cursor: 2 } }); } catch (cause) {
    if (cause instanceof ParlorError && cause.code === 'NOT_JOINED') console.log(cause.details);
  }
  const said: Message = await room.publish({ type: 'chat', data: metadata.title?.length });
  console.log(said, new RoomAwareness({ clientID: 1 }, live.room('project_123')), webBackend);
  return me.presence.cursor;
}
// @ts-expect-error: it is no number
void room.join({ presence: { cursor: 'left' } });
// @ts-expect-error: there is no such role
void room.join({ metadata: { role: 'king' } });
// @ts-expect-error: there is no such key
void room.presence({ presence: {}, unset: ['cursr'] });
// @ts-expect-error: there is no such key
void room.presence({ presence: { typing: true }, expire: { typng: 5000 } });
// @ts-expect-error: there is no such key
void room.metadata({ unset: ['titel'] });
// @ts-expect-error: there is no such event
room.on('gone', () => {});
`,
  );
  const compiler = at('ui/node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2023,dom,dom.iterable'];
  for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
    const how = ['--module', module, '--moduleResolution', resolution];
    const checked = await run(process.execPath, [compiler, ...options, ...how, 'typed.ts'], { cwd: folder }).catch(
      ({ stdout }) => ({ stdout }),
    );
    assert.equal(checked.stdout, '', `${module}: ${checked.stdout}`);
  }
});
