// @vitest-environment node
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ParlorError } from './errors';
import { EventParser, followRoom } from './event-stream';
import type { Item } from './generated/Item';

/** A peer of which the test writes every word. */
class Peer {
  readonly server: Server;
  readonly asked: IncomingMessage[] = [];
  #answers: ((response: ServerResponse) => void)[] = [];

  constructor() {
    this.server = createServer((request, response) => {
      this.asked.push(request);
      const answer = this.#answers.shift() ?? ((idle: ServerResponse) => idle.writeHead(200, SSE).flushHeaders());
      answer(response);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  answer(answer: (response: ServerResponse) => void): void {
    this.#answers.push(answer);
  }

  places(): (string | undefined)[] {
    return this.asked.map((request) => request.headers['last-event-id'] as string | undefined);
  }
}

const SSE = { 'Content-Type': 'text/event-stream' };
const said = (id: string | null, item: object) =>
  `event: x\n${id === null ? '' : `id: ${id}\n`}data: ${JSON.stringify(item)}\n\n`;

describe('a peer that is away for long', () => {
  it('is tried again and again, and nothing piles up meanwhile', async () => {
    vi.useFakeTimers();
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let tries = 0;
    const away = () => Promise.reject(new Error(`away, ${++tries}`));
    const world = { fetch: away as unknown as typeof fetch, random: () => 0 };
    const end = followRoom('r', { origin: 'http://127.0.0.1:1', token: 't', world }, { item: () => {} });
    await vi.advanceTimersByTimeAsync(120_000);
    end();
    vi.useRealTimers();
    expect(tries).toBeGreaterThan(20);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('a room that is followed', () => {
  let peer: Peer;
  let origin: string;
  let ends: (() => void)[];

  beforeEach(async () => {
    peer = new Peer();
    origin = await peer.start();
    ends = [];
  });

  afterEach(async () => {
    for (const end of ends) end();
    peer.server.closeAllConnections();
    await new Promise((resolve) => peer.server.close(resolve));
  });

  function follow(room = 'r', guest?: { id: string; name?: string }) {
    const items: number[] = [];
    const links: boolean[] = [];
    const failures: ParlorError[] = [];
    const options = { origin, token: 't', world: { random: () => 0 }, ...(guest === undefined ? {} : { guest }) };
    const end = followRoom(room, options, {
      item: (item: Item) => void items.push(item.id),
      link: (up) => void links.push(up),
      failed: (cause) => void failures.push(cause),
    });
    ends.push(end);
    return { items, links, failures, end };
  }

  it('comes back from the last event that it had, whatever was under way', async () => {
    peer.answer((response) => {
      response.writeHead(200, SSE);
      response.write(said('o-4', { id: 4, type: 'snapshot' }) + said('o-5', { id: 5, type: 'updated' }));
      // Half of the next, and the connection ends.
      response.write('event: updated\nid: o-6\nda', () => response.destroy());
    });
    peer.answer((response) => {
      response.writeHead(200, SSE);
      response.write(said('o-6', { id: 6, type: 'updated' }));
    });
    const { items, links } = follow();
    await vi.waitFor(() => expect(items).toEqual([4, 5, 6]));
    expect(peer.places()).toEqual([undefined, 'o-5']);
    expect(links).toEqual([true, false, true]);
  });

  it('stays where it was when a snapshot was only announced', async () => {
    peer.answer((response) => response.writeHead(200, SSE).end(said('o-4', { id: 4, type: 'snapshot' })));
    const resync = said(null, { id: 9, type: 'resync', reason: 'expired' });
    peer.answer((response) => response.writeHead(200, SSE).end(resync));
    peer.answer((response) => {
      response.writeHead(200, SSE).write(resync + said('o-9', { id: 9, type: 'snapshot' }));
    });
    const { items } = follow();
    await vi.waitFor(() => expect(items).toEqual([4, 9, 9, 9]));
    expect(peer.places()).toEqual([undefined, 'o-4', 'o-4']);
  });

  it('goes on while the peer cannot be reached or is busy, and ends when it refuses', async () => {
    peer.answer((response) => response.destroy());
    const problem = { 'Content-Type': 'application/problem+json' };
    peer.answer((response) =>
      response.writeHead(409, problem).end(JSON.stringify({ code: 'TOO_MANY_ROOMS', recoverable: true })),
    );
    peer.answer((response) =>
      response.writeHead(401, problem).end(JSON.stringify({ code: 'UNAUTHORIZED', detail: 'no', recoverable: false })),
    );
    const { failures, links } = follow();
    await vi.waitFor(() => expect(failures.map((cause) => cause.code)).toEqual(['UNAUTHORIZED']));
    expect([links, peer.asked.length]).toEqual([[], 3]);
  });

  it('says for whom, in which room, and with what right', async () => {
    follow('a/b ü', { id: 'visitor', name: 'Łukasz' });
    await vi.waitFor(() => expect(peer.asked).toHaveLength(1));
    const { url, headers } = peer.asked[0]!;
    expect(url).toBe('/rooms/a%2Fb%20%C3%BC/events');
    expect([headers.authorization, headers['parlor-user'], headers['parlor-user-name']]).toEqual([
      'Bearer t',
      'visitor',
      Buffer.from('Łukasz').toString('latin1'),
    ]);
  });

  it('is over when it is ended', async () => {
    const gone = new Promise<void>((resolve) => {
      peer.answer((response) => response.writeHead(200, SSE).on('close', resolve).flushHeaders());
    });
    const { end, links } = follow();
    await vi.waitFor(() => expect(links).toEqual([true]));
    end();
    await gone;
    expect([links, peer.asked.length]).toEqual([[true], 1]);
  });
});

describe('server-sent events', () => {
  const parsed = (...pieces: string[]) => {
    const events: [string | null, string][] = [];
    const parser = new EventParser((id, data) => void events.push([id, data]));
    for (const piece of pieces) parser.push(piece);
    return events;
  };

  it('come in any pieces', () => {
    const text = ': hello\n\nevent: a\nid: 1\ndata: x\ndata:y\n\nid: 2\n\ndata\n\r\ndata: z\r\n\r\ndata: not yet\n';
    const whole = [['1', 'x\ny'], [null, ''], [null, 'z']];
    expect(parsed(text)).toEqual(whole);
    expect(parsed(...text)).toEqual(whole);
  });
});
