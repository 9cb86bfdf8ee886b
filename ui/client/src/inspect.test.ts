// @vitest-environment node
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Inspect } from './generated/Inspect';
import { inspect, inspectOnce } from './inspect';

const SNAPSHOT = { type: 'snapshot', wallMs: 1, sessionId: 'a', rooms: {}, peers: [], counters: {} };
const said = (item: { type: string }) => `event: ${item.type}\ndata: ${JSON.stringify(item)}\n\n`;

describe('a peer that is looked into', () => {
  let server: Server;
  let origin: string;
  let asked: IncomingMessage[];
  let answers: ((response: ServerResponse) => void)[];

  beforeEach(async () => {
    [asked, answers] = [[], []];
    server = createServer((request, response) => {
      asked.push(request);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      (answers.shift() ?? ((idle: ServerResponse) => idle.flushHeaders()))(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is asked with the token, for one room, and again when the connection ends', async () => {
    answers.push((response) => response.end(said(SNAPSHOT) + said({ type: 'seen' })));
    answers.push((response) => void response.write(said({ type: 'snapshot' })));
    const [items, links]: [string[], boolean[]] = [[], []];
    const end = inspect(
      { origin, token: 't', room: 'a b', world: { random: () => 0 } },
      { item: (item: Inspect) => void items.push(item.type), link: (up) => void links.push(up) },
    );
    await vi.waitFor(() => expect(items).toEqual(['snapshot', 'seen', 'snapshot']));
    end();
    expect(links).toEqual([true, false, true]);
    expect(asked.map(({ url }) => url)).toEqual(['/inspect?room=a+b', '/inspect?room=a+b']);
    expect(asked[0]?.headers.authorization).toBe('Bearer t');
  });

  it('says once how it is, and is left alone then', async () => {
    answers.push((response) => void response.write(said(SNAPSHOT) + said({ type: 'seen' })));
    const ended = new Promise((resolve) => server.once('request', (request) => request.once('close', resolve)));
    expect(await inspectOnce({ origin, token: 't' })).toEqual(SNAPSHOT);
    await ended;
    expect(asked.map(({ url }) => url)).toEqual(['/inspect']);
  });

  it('did not say how it is when the connection ends before', async () => {
    answers.push((response) => response.end());
    await expect(inspectOnce({ origin, token: 't' })).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
  });
});
