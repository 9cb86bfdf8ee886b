/**
 * The TypeScript client in Node, as a server uses it, against a real peer: a web server with the four routes of a
 * presence page, many users of one peer, and a room that is followed through a connection that breaks.
 */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from '../../ui/node_modules/vite/dist/node/index.js';
import { Peer } from './peer.js';
import { until } from './until.js';

const source = fileURLToPath(new URL('../../ui/client/src/index.ts', import.meta.url));

let bundle, client, peer;

before(async () => {
  bundle = await mkdtemp(join(tmpdir(), 'parlor-client-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      ...{ outDir: bundle, emptyOutDir: true, target: 'node20' },
      lib: { entry: source, formats: ['es'], fileName: () => 'client.mjs' },
    },
  });
  client = await import(pathToFileURL(join(bundle, 'client.mjs')).href);
  peer = await Peer.start();
});

after(async () => {
  await peer?.stop();
  if (bundle) await rm(bundle, { recursive: true });
});

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

test('a web server has the routes of a presence page, for many users of one peer', async () => {
  const users = new AsyncLocalStorage();
  const live = client.createLive({ origin: peer.http, token: peer.token, resolveActor: () => users.getStore() });
  const routes = {
    join: (room) => live.room(room).join({ presence: { status: 'online', typing: false } }),
    presence: (room, body) => live.room(room).presence({ presence: { cursor: body.cursor } }),
    members: async (room) => ({ members: await live.room(room).members({ limit: 100 }) }),
    leave: (room) => live.room(room).leave(),
  };
  const server = createHttpServer(async (request, response) => {
    const [, , room, route] = new URL(request.url, 'http://server').pathname.split('/');
    let text = '';
    for await (const chunk of request) text += chunk;
    const name = decodeURIComponent(request.headers['x-user']);
    const user = { id: name.toLowerCase(), name };
    const answer = await users.run(user, () => routes[route](room, text === '' ? {} : JSON.parse(text)));
    response.end(JSON.stringify(answer));
  });
  const origin = await listening(server);
  const ask = async (user, route, body) => {
    const headers = { 'x-user': encodeURIComponent(user) };
    const init = route === 'members' ? { headers } : { method: 'POST', headers, body: JSON.stringify(body ?? {}) };
    return (await fetch(`${origin}/rooms/project_123/${route}`, init)).json();
  };

  try {
    const [ada, lukasz] = await Promise.all([ask('Ada', 'join'), ask('Łukasz', 'join')]);
    assert.deepEqual(ada.presence, { status: 'online', typing: false });
    assert.notEqual(ada.memberId, lukasz.memberId);
    await Promise.all([ask('Ada', 'presence', { cursor: 1 }), ask('Łukasz', 'presence', { cursor: 2 })]);
    const { members } = await ask('Ada', 'members');
    assert.deepEqual(
      members.map(({ memberId, actor, presence }) => [memberId, actor.kind, actor.name, presence.cursor]).sort(),
      [
        [ada.memberId, 'guest', 'Ada', 1],
        [lukasz.memberId, 'guest', 'Łukasz', 2],
      ].sort(),
    );
    assert.equal((await ask('Ada', 'leave')).left, true);
    const rest = await ask('Łukasz', 'members');
    assert.deepEqual(rest.members.map(({ memberId }) => memberId), [lukasz.memberId]);
  } finally {
    server.close();
  }
});

test('a refusal has its code and what it is about', async () => {
  const room = client.createLive({ origin: peer.http, token: peer.token }).room('refusals');
  await assert.rejects(room.presence({ presence: {} }), { code: 'NOT_JOINED', recoverable: true });
  await assert.rejects(room.join({ presence: { text: 'x'.repeat(3_000) } }), (error) => {
    assert.equal(error.code, 'PAYLOAD_TOO_LARGE');
    assert.deepEqual(error.details, { limit: 'stringBytes', max: 2048, actual: 3000, path: 'presence.text' });
    return true;
  });
  await room.join();
  const { version } = await room.metadata({ metadata: { title: 'One' } });
  await room.metadata({ metadata: { title: 'Two' }, ifVersion: version });
  await assert.rejects(room.metadata({ metadata: { title: 'Three' }, ifVersion: version }), {
    code: 'PRECONDITION_FAILED',
  });
  await room.leave();
});

test('a room is followed through a connection that breaks, and every change is told once', async () => {
  let open = true;
  const under = new Set();
  const proxy = createTcpServer((socket) => {
    if (!open) return socket.destroy();
    const way = connect(Number(new URL(peer.http).port), '127.0.0.1');
    for (const end of [socket, way]) {
      under.add(end);
      end.on('error', () => {}).on('close', () => (under.delete(end), socket.destroy(), way.destroy()));
    }
    socket.pipe(way).pipe(socket);
  });
  const through = await listening(proxy);
  const port = new URL(peer.http).port;
  // The peer answers by its own name only, whatever way a request comes.
  const named = (url, init) => fetchNamed(through + new URL(url).pathname, `127.0.0.1:${port}`, init);
  const writer = client.createLive({ origin: peer.http, token: peer.token }).room('followed');
  await writer.join({ presence: { n: 0 } });

  const told = [];
  const links = [];
  const live = client.createLive({ origin: peer.http, token: peer.token, world: { fetch: named } });
  const follower = live.room('followed');
  const ends = [
    follower.on('snapshot', (members) => told.push(['snapshot', members[0]?.presence.n])),
    follower.on('updated', (member) => told.push(['updated', member.presence.n])),
    follower.on('link', (up) => links.push(up)),
  ];
  try {
    await until('the snapshot', () => told.length === 1);
    for (let n = 1; n <= 30; n++) {
      if (n % 10 === 0) {
        open = false;
        for (const socket of under) socket.destroy();
      }
      await writer.presence({ presence: { n } });
      if (n % 10 === 5) open = true;
    }
    open = true;
    await until('all that was missed', () => told.length === 31);
    assert.deepEqual(told, [['snapshot', 0], ...Array.from({ length: 30 }, (_, i) => ['updated', i + 1])]);
    assert.ok(links.filter((up) => up).length > 1, 'it did break');
  } finally {
    for (const end of ends) end();
    proxy.close();
    for (const socket of under) socket.destroy();
    await writer.leave();
  }
});

/** `fetch` of another address than the one whose name is in the head. */
async function fetchNamed(url, host, { headers, signal }) {
  const { request } = await import('node:http');
  const { Readable } = await import('node:stream');
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { ...headers, Host: host }, signal, agent: false }, (answer) => {
      resolve(new Response(Readable.toWeb(answer), { status: answer.statusCode }));
    });
    asked.on('error', reject).end();
  });
}
