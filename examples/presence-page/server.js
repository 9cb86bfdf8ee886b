/** A web server whose users are in rooms. What makes it one of yours: its own login, and its own pages. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { createLive, ParlorError } from 'parlor-client';

import { App } from './app.js';
import { routes } from './routes.js';

const users = new AsyncLocalStorage();
const live = createLive({
  origin: process.env.PARLOR_HTTP ?? 'http://127.0.0.1:4750',
  token: process.env.PARLOR_TOKEN ?? 'secret',
  // Asked at every call: the user of the request that is under way.
  resolveActor: () => users.getStore(),
});

const app = new App(import.meta.url, ['page.html', 'page.js']);
routes(app, live);

/** Who has logged in, by what their cookie says. */
const sessions = new Map();
app.post('/login', async (request) => {
  const { name } = await request.json();
  const session = randomUUID();
  sessions.set(session, { id: String(name).toLowerCase(), name: String(name) });
  return new Response('{}', { headers: { 'Set-Cookie': `session=${session}; HttpOnly; SameSite=Strict; Path=/` } });
});

const server = createServer(async (incoming, outgoing) => {
  const session = /(?:^|; )session=([\w-]+)/.exec(incoming.headers.cookie ?? '')?.[1];
  const user = sessions.get(session);
  const url = new URL(incoming.url, 'http://127.0.0.1');
  if (user === undefined && url.pathname.startsWith('/rooms/')) {
    return outgoing.writeHead(401).end('{"message": "Who are you?"}');
  }
  try {
    await users.run(user, () => app.answer(url, incoming, outgoing));
  } catch (error) {
    const known = error instanceof ParlorError;
    if (!known) console.error(error);
    outgoing.writeHead(known ? 400 : 500, { 'Content-Type': 'application/json' });
    outgoing.end(JSON.stringify({ code: known ? error.code : undefined, message: error.message }));
  }
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`Open http://127.0.0.1:${server.address().port}/?room=project_123`);
});
