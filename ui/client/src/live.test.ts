// @vitest-environment node
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLive } from './live';
import type { Guest } from './call';
import type { Live } from './room';

interface Asked {
  method: string | undefined;
  url: string | undefined;
  user: string | undefined;
  body: unknown;
}

describe('a program with many users', () => {
  const asked: Asked[] = [];
  let answer: (asked: Asked, response: ServerResponse) => void;
  let origin: string;
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method, url, headers } = request;
    const user = headers['parlor-user'] as string | undefined;
    const one = { method, url, user, body: text === '' ? null : (JSON.parse(text) as unknown) };
    asked.push(one);
    answer(one, response);
  });

  beforeEach(async () => {
    asked.length = 0;
    answer = ({ body }, response) => {
      const { memberId = 'u_default' } = (body ?? {}) as { memberId?: string };
      const row = (memberId: string) => ({ memberId, self: memberId === 'u_default', actor: { userId: memberId } });
      response.end(JSON.stringify({ memberId, members: [row('u_default'), row('u_other')] }));
    };
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('acts for whoever the request under way is of', async () => {
    const requests = new AsyncLocalStorage<Guest | null>();
    const live = createLive({ origin, token: 't', resolveActor: () => requests.getStore() ?? null });
    const serve = (user: string | null) =>
      requests.run(user === null ? null : { id: user }, async () => {
        const room = live.room('project_123');
        await room.join({ presence: { status: 'online' } });
        await room.presence({ presence: { of: user } });
        return room.leave();
      });
    await Promise.all(['ada', 'bob', null, 'cleo'].map(serve));
    expect(asked).toHaveLength(12);
    for (const user of ['ada', 'bob', undefined, 'cleo']) {
      const of = asked.filter((one) => one.user === user);
      expect(of.map((one) => one.url?.split('/').at(-1))).toEqual(['join', 'presence', 'leave']);
      expect(of[1]?.body).toEqual({ memberId: 'u_default', presence: { of: user ?? null } });
    }
  });

  it('leaves by a request that outlives its page, and by no other', async () => {
    const kept = new Map<string | undefined, boolean | undefined>();
    const world = {
      fetch: (address: RequestInfo | URL, init?: RequestInit) => {
        kept.set(String(address).split('/').at(-1), init?.keepalive);
        return fetch(address, init);
      },
    };
    const room = createLive({ origin, token: 't', world }).room('project_123');
    await room.join();
    await room.presence({ presence: { status: 'busy' } });
    await room.leave();
    expect([...kept]).toEqual([
      ['join', false],
      ['presence', false],
      ['leave', true],
    ]);
  });

  it('does not act as the host for a request that nobody is known of', async () => {
    const requests = new AsyncLocalStorage<Guest>();
    const live = createLive({ origin, token: 't', resolveActor: () => requests.getStore() });
    const room = live.room('r');
    const refusal = { code: 'UNAUTHORIZED', recoverable: false };
    for (const call of [room.join(), room.members(), room.leave(), room.metadata(), live.rooms(), live.createRoom('r')]) {
      await expect(call).rejects.toMatchObject(refusal);
    }
    const failed = await new Promise((resolve) => room.on('failed', resolve));
    expect(failed).toMatchObject(refusal);
    expect(asked).toEqual([]);
    await requests.run({ id: 'ada' }, () => room.join());
    expect(asked.map((one) => one.user)).toEqual(['ada']);
  });

  it('waits for who it is, and asks nothing when nobody can say', async () => {
    const slow = createLive({ origin, token: 't', resolveActor: async () => ({ id: 'ada' }) });
    await slow.room('r').members();
    expect(asked.map((one) => one.user)).toEqual(['ada']);
    const nobody = createLive({ origin, token: 't', resolveActor: () => Promise.reject(new Error('no session')) });
    await expect(nobody.room('r').join()).rejects.toThrow('no session');
    expect(asked).toHaveLength(1);
  });

  it('has the calls of the page', async () => {
    const live: Live = createLive({ origin, token: 't' });
    const room = live.room<{ cursor: number; typing?: boolean }, { title: string }>('project 123');
    await room.join({ memberId: 'device_1', presence: { cursor: 1 } });
    await room.presence({ presence: { cursor: 2 }, unset: ['typing'] });
    await room.presence({ presence: {}, memberId: 'device_2' });
    await room.presence({ presence: { cursor: 3 }, memberId: undefined });
    expect((await room.members({ limit: 100 })).map((member) => member.memberId)).toEqual(['u_default', 'u_other']);
    await room.metadata({ metadata: { title: 'Incident response' }, ifVersion: 'a' });
    await room.metadata();
    await room.publish({ type: 'reaction', data: { emoji: '🎉' } });
    await room.history({ limit: 5 });
    await room.board();
    await room.board({ set: [{ id: 'n', text: 'A' }] });
    await room.ticket();
    await room.leave();
    await live.rooms();
    await live.createRoom('plans', { private: true });
    await live.forgetRoom('plans');
    const at = '/rooms/project%20123';
    expect(asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', `${at}/join`, { memberId: 'device_1', presence: { cursor: 1 } }],
      ['POST', `${at}/presence`, { memberId: 'device_1', presence: { cursor: 2 }, unset: ['typing'] }],
      ['POST', `${at}/presence`, { memberId: 'device_2', presence: {} }],
      ['POST', `${at}/presence`, { memberId: 'device_1', presence: { cursor: 3 } }],
      ['GET', `${at}/members?limit=100`, null],
      ['POST', `${at}/metadata`, { metadata: { title: 'Incident response' }, ifVersion: 'a' }],
      ['GET', `${at}/metadata`, null],
      ['POST', `${at}/messages`, { memberId: 'device_1', type: 'reaction', data: { emoji: '🎉' } }],
      ['GET', `${at}/messages?limit=5`, null],
      ['GET', `${at}/board`, null],
      ['POST', `${at}/board`, { set: [{ id: 'n', text: 'A' }] }],
      ['POST', `${at}/ticket`, null],
      ['POST', `${at}/leave`, { memberId: 'device_1' }],
      ['GET', '/rooms', null],
      ['POST', '/rooms', { room: 'plans', private: true }],
      ['DELETE', '/rooms/plans', null],
    ]);
  });

  it('knows others by the member that it joined with', async () => {
    const room = createLive({ origin, token: 't' }).room('r');
    await room.join();
    expect((await room.others()).map((member) => member.memberId)).toEqual(['u_other']);
  });

  it('counts another actor who took the same member id among the others', async () => {
    const row = (userId: string, self: boolean) => ({ memberId: 'desk', self, actor: { userId } });
    const rows = [row('u_far', false), row('u_me', true), row('u_me', false)];
    answer = (_, response) => void response.end(JSON.stringify({ memberId: 'desk', members: rows }));
    const room = createLive({ origin, token: 't' }).room('r');
    await room.join({ memberId: 'desk' });
    expect((await room.others()).map((member) => member.actor.userId)).toEqual(['u_far']);
  });

  it('follows a room for as long as somebody listens', async () => {
    let stream: ServerResponse | null = null;
    answer = (_, response) => {
      stream = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const said = (id: number, item: object) =>
        response.write(`id: o-${id}\ndata: ${JSON.stringify({ id, ...item })}\n\n`);
      said(1, { type: 'snapshot', members: [{ memberId: 'a' }], metadata: { metadata: {} }, notes: [{}], watching: 1, complete: true });
      said(2, { type: 'joined', member: { memberId: 'b' } });
      said(3, { type: 'updated', member: { memberId: 'b' }, changed: ['x'] });
      said(4, { type: 'left', member: { memberId: 'b' }, reason: 'left' });
      said(5, { type: 'weather' });
      said(6, { type: 'board', notes: [{ id: 'n' }], removed: ['m'] });
      said(7, { type: 'watching', count: 2 });
      said(8, { type: 'complete', complete: false });
    };
    const room = createLive({ origin, token: 't', resolveActor: () => ({ id: 'ada' }) }).room('r');
    const told: unknown[] = [];
    const ends = [
      room.on('snapshot', (members, _, { notes, watching }) => told.push(['snapshot', members.length, notes.length, watching])),
      room.on('joined', (member) => told.push(['joined', member.memberId])),
      room.on('updated', (member, changed) => told.push(['updated', member.memberId, changed])),
      room.on('left', (member, reason) => told.push(['left', member.memberId, reason])),
      room.on('board', (notes, removed) => told.push(['board', notes.map(({ id }) => id), removed])),
      room.on('watching', (count) => told.push(['watching', count])),
      room.on('complete', (complete) => told.push(['complete', complete])),
    ];
    await vi.waitFor(() => expect(told).toHaveLength(7));
    expect(told).toEqual([
      ...[['snapshot', 1, 1, 1], ['joined', 'b'], ['updated', 'b', ['x']], ['left', 'b', 'left']],
      ...[['board', ['n'], ['m']], ['watching', 2], ['complete', false]],
    ]);
    expect(asked.map((one) => [one.url, one.user])).toEqual([['/rooms/r/events', 'ada']]);
    const closed = new Promise((resolve) => stream?.on('close', resolve));
    for (const end of ends) end();
    await closed;
  });

  it('tells those who listen later what is in the room, too', async () => {
    let streams = 0;
    answer = (_, response) => {
      streams += 1;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const snapshot = { id: 1, type: 'snapshot', members: [{ memberId: `m${streams}` }], metadata: { metadata: {} } };
      response.write(`id: o-1\ndata: ${JSON.stringify(snapshot)}\n\n`);
    };
    const room = createLive({ origin, token: 't' }).room('r');
    const told: string[] = [];
    const listen = (who: string) => room.on('snapshot', ([member]) => told.push(`${who} ${member?.memberId}`));
    const ends = [listen('first')];
    await vi.waitFor(() => expect(told).toEqual(['first m1']));
    ends.push(room.on('joined', () => {}), listen('second'));
    await vi.waitFor(() => expect(told).toEqual(['first m1', 'first m2', 'second m2']));
    expect(streams).toBe(2);
    for (const end of ends) end();
  });

  it('says when nobody can be followed', async () => {
    answer = (_, response) =>
      void response.writeHead(400).end(JSON.stringify({ code: 'INVALID_ROOM_ID', detail: 'no', recoverable: false }));
    const room = createLive({ origin, token: 't' }).room(' ');
    const codes: string[] = [];
    const end = room.on('failed', (cause) => codes.push(cause.code));
    await vi.waitFor(() => expect(codes).toEqual(['INVALID_ROOM_ID']));
    end();
  });
});
