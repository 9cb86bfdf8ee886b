// @vitest-environment happy-dom
import type { Channel } from '@tauri-apps/api/core';
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Batch } from './generated/Batch';
import type { FeedEvent } from './generated/FeedEvent';
import type { Member } from './generated/Member';
import type { Update } from './generated/Update';
import { createLive, tauriBackend } from './tauri';

type Row = { memberId: string; state?: 'active' | 'stale'; presence?: object; metadata?: object };

const member = ({ memberId, state = 'active', presence = {}, metadata = {} }: Row) => {
  const at = '2026-05-25T00:00:00.000Z';
  const who = { actor: { kind: 'user', userId: `u_${memberId}`, name: memberId }, state, self: false, verified: true };
  return { ...who, ...{ conflict: false, room: 'r', kind: 'room', memberId, joinedAt: at, lastSeenAt: at, presence, metadata } } as Member;
};
const settings = { room: 'r', kind: 'room' as const, metadata: {}, updatedAt: null, updatedBy: null, version: '0' };
const snapshot = (members: Member[], more = false): FeedEvent => ({
  ...{ type: 'snapshot', room: 'r', members, metadata: settings, watching: 1, paceMs: 34, complete: true, at: 0, more },
});

/** The peer's end: what was asked of it, and its hands on each feed. */
const asked: [command: string, args: Record<string, unknown>][] = [];
const feeds: { room: string; channel: Channel<Batch>; seq: number; open: boolean }[] = [];
let answers: Record<string, (args: Record<string, unknown>) => unknown> = {};
const acknowledged = (feed: number) => asked.filter(([name, args]) => name === 'ack' && args['feedId'] === feed).length;

/** What a feed sends, when it was taken. */
async function sends(feed: number, events: FeedEvent[], updates: Update[] = []) {
  const to = feeds[feed];
  if (to === undefined) throw new Error('there is no such feed');
  to.channel.onmessage({ seq: ++to.seq, events, updates });
  await vi.waitFor(() => expect(acknowledged(feed)).toBe(to.seq));
}

beforeEach(() => {
  asked.length = feeds.length = 0;
  answers = {};
  mockIPC((command, given) => {
    const args = given as Record<string, unknown>;
    asked.push([command, args]);
    if (command in answers) return answers[command]?.(args);
    if (command === 'watch') {
      // A window has one feed of a room.
      for (const feed of feeds) feed.open &&= feed.room !== args['room'];
      return feeds.push({ room: String(args['room']), channel: args['channel'] as Channel<Batch>, seq: 0, open: true }) - 1;
    }
    const feed = command === 'unwatch' ? feeds[Number(args['feedId'])] : undefined;
    if (feed !== undefined) feed.open = false;
    return { memberId: 'desk', members: [] };
  });
});

afterEach(() => clearMocks());

describe('a program in the window', () => {
  it('has the calls of every other way', async () => {
    const live = createLive();
    const room = live.room<{ cursor: number }>('project 123');
    await room.join({ memberId: 'desk', presence: { cursor: 1 } });
    await room.presence({ presence: { cursor: 2 } });
    await room.members({ limit: 100 });
    await room.metadata({ metadata: { title: 'Incident response' } });
    await room.metadata();
    await room.board({ set: [{ id: 'n', x: 1 }] });
    await room.board();
    await room.publish({ type: 'reaction' });
    await room.history({ limit: 5 });
    await room.ticket();
    await room.leave();
    await live.rooms();
    await live.createRoom('plans', { private: true });
    await live.forgetRoom('plans');
    const here = { room: 'project 123' };
    expect(asked).toEqual([
      ['join', { ...here, args: { memberId: 'desk', presence: { cursor: 1 } } }],
      ['presence', { ...here, args: { memberId: 'desk', presence: { cursor: 2 } } }],
      ['members', { ...here, query: { limit: 100 } }],
      ['set_metadata', { ...here, args: { metadata: { title: 'Incident response' } } }],
      ['metadata', { ...here, args: undefined }],
      ['set_board', { ...here, change: { set: [{ id: 'n', x: 1 }] } }],
      ['board', { ...here, args: undefined }],
      ['publish', { ...here, args: { type: 'reaction', memberId: 'desk' } }],
      ['history', { ...here, query: { limit: 5 } }],
      ['ticket', { ...here, args: undefined }],
      ['leave', { ...here, args: { memberId: 'desk' } }],
      ['rooms', {}],
      ['create_room', { room: 'plans', private: true }],
      ['forget_room', { room: 'plans' }],
    ]);
  });

  it('is refused with the errors of every other way', async () => {
    const refusal = { code: 'NOT_JOINED', message: 'join first', recoverable: true };
    answers = { presence: () => Promise.reject(refusal) };
    const room = createLive().room('r');
    await expect(room.presence({ presence: {} })).rejects.toMatchObject({ name: 'ParlorError', ...refusal });
    await expect(room.join({ presence: { n: NaN } })).rejects.toMatchObject({ code: 'INVALID_PRESENCE' });
    await expect(room.members({ limit: NaN })).rejects.toMatchObject({ code: 'INVALID_LIMIT' });
    expect(asked.map(([command]) => command)).toEqual(['presence']);
  });

  it('hears what happens, a snapshot first', async () => {
    const room = createLive().room<{ x: number }>('r');
    const told: unknown[] = [];
    const ends = [
      room.on('link', (up) => told.push(['link', up])),
      room.on('snapshot', (members, _, { notes }) => told.push(['snapshot', members.map((row) => row.memberId), notes.length])),
      room.on('joined', (row) => told.push(['joined', row.memberId])),
      room.on('updated', (row, changed) => told.push(['updated', row.memberId, changed, row.presence])),
      room.on('stale', (row) => told.push(['stale', row.memberId])),
      room.on('active', (row) => told.push(['active', row.memberId])),
      room.on('left', (row, reason) => told.push(['left', row.memberId, reason])),
      room.on('metadata', ({ metadata }, changed) => told.push(['metadata', metadata, changed])),
      room.on('board', (notes, removed) => told.push(['board', notes.map(({ id }) => id), removed])),
      room.on('watching', (count) => told.push(['watching', count])),
      room.on('message', ({ id }) => told.push(['message', id])),
    ];
    await vi.waitFor(() => expect(told).toEqual([['link', true]]));
    await sends(0, [snapshot([member({ memberId: 'a' })], true)]);
    await sends(0, [{ type: 'joined', member: member({ memberId: 'b', presence: { x: 1 } }), rest: true }]);
    const note = { id: 'n', ...{ x: 0, y: 0, w: 1, h: 1, z: 0, color: '', text: '' }, updatedAt: '', updatedBy: '' };
    await sends(0, [{ type: 'board', notes: [note], removed: [], rest: true }]);
    expect(told.splice(0)).toEqual([
      ...[['link', true], ['snapshot', ['a'], 0], ['snapshot', ['a', 'b'], 0], ['snapshot', ['a', 'b'], 1]],
    ]);
    const update = { memberId: 'b', userId: 'u_b', presence: { x: 2, y: 3 }, unset: ['z'], lastSeenAt: '2026-05-25T00:00:01.000Z' };
    await sends(0, [{ type: 'joined', member: member({ memberId: 'c' }) }], [update]);
    await sends(0, [{ type: 'stale', member: member({ memberId: 'c', state: 'stale' }) }]);
    await sends(0, [{ type: 'active', member: member({ memberId: 'c' }) }]);
    // The whole row of somebody whose state is what it was is a change of the rest of it.
    await sends(0, [{ type: 'active', member: member({ memberId: 'c', presence: { x: 1 }, metadata: { role: 'host' } }) }]);
    await sends(0, [
      { type: 'left', member: member({ memberId: 'c' }), reason: 'left' },
      { type: 'metadata', metadata: { ...settings, metadata: { title: 'T' } }, changed: ['title'] },
      { type: 'board', notes: [], removed: ['n'] },
      { type: 'watching', count: 2 },
      { type: 'message', message: { id: 'm1' } as never },
    ]);
    expect(told).toEqual([
      ...[['joined', 'c'], ['updated', 'b', ['x', 'y', 'z'], { x: 2, y: 3 }], ['stale', 'c'], ['active', 'c']],
      ...[['updated', 'c', ['x'], { x: 1 }], ['left', 'c', 'left'], ['metadata', { title: 'T' }, ['title']]],
      ...[['board', [], ['n']], ['watching', 2], ['message', 'm1']],
    ]);
    for (const end of ends) end();
    await vi.waitFor(() => expect(feeds.map(({ open }) => open)).toEqual([false]));
  });

  it('has one feed of a room for all who follow it, and each is told what is there', async () => {
    const live = createLive();
    const told: unknown[] = [];
    const first = live.room('r').on('snapshot', (members) => told.push(['first', members.length]));
    await vi.waitFor(() => expect(feeds).toHaveLength(1));
    await sends(0, [snapshot([member({ memberId: 'a' })])]);
    const second = createLive().room('r').on('snapshot', (members) => told.push(['second', members.length]));
    const elsewhere = live.room('s').on('joined', () => {});
    await vi.waitFor(() => expect(feeds).toHaveLength(2));
    expect(told).toEqual([['first', 1], ['second', 1]]);
    first();
    await sends(0, [snapshot([])]);
    expect(told.at(-1)).toEqual(['second', 0]);
    second();
    await vi.waitFor(() => expect(feeds.map(({ open }) => open)).toEqual([false, true]));
    elsewhere();
    await vi.waitFor(() => expect(feeds[1]?.open).toBe(false));
  });

  it('is told when a room cannot be followed, and may try again', async () => {
    const refusal = { code: 'TOO_MANY_ROOMS', message: '32 are open', recoverable: true };
    answers = { watch: () => Promise.reject(refusal) };
    const room = createLive().room('r');
    const failed: string[] = [];
    const end = room.on('failed', (cause) => failed.push(cause.code));
    await vi.waitFor(() => expect(failed).toEqual(['TOO_MANY_ROOMS']));
    end();
    answers = {};
    const again = room.on('joined', () => {});
    await vi.waitFor(() => expect(feeds).toHaveLength(1));
    again();
  });
});

describe('a recording in the window', () => {
  it('may have any name', async () => {
    const { __TAURI_INTERNALS__: internals } = window as unknown as { __TAURI_INTERNALS__: { invoke: () => Promise<unknown> } };
    const invoke = vi.spyOn(internals, 'invoke').mockResolvedValue('fn storung() {}');
    await tauriBackend().replays?.replayTest(new Uint8Array([1]), 'Störung 😀 "1"');
    const [command, file, options] = invoke.mock.calls[0] as unknown as [string, Uint8Array, { headers: { asked: string } }];
    expect([command, [...file]]).toEqual(['replay_test', [1]]);
    expect(options.headers.asked).toMatch(/^[ -~]+$/);
    expect(JSON.parse(options.headers.asked)).toEqual({ name: 'Störung 😀 "1"' });
  });
});
