import { describe, expect, it } from 'vitest';
import {
  applyBatch,
  compareBytes,
  emptyRoom,
  type Access,
  type Change,
  type FeedEvent,
  type Member,
  type RoomState,
  type Update,
} from './index';

const member = (
  memberId: string,
  joinedAt = '2026-11-25T10:00:00.000Z',
  presence: Record<string, unknown> = {},
): Member => ({
  room: 'r',
  kind: 'room',
  memberId,
  joinedAt,
  lastSeenAt: joinedAt,
  metadata: {},
  presence,
  actor: { kind: 'user', userId: `u_${memberId}`, name: memberId },
  state: 'active',
  self: false,
  verified: true,
  conflict: false,
});

const update = (memberId: string, presence: Record<string, unknown>, unset: string[] = []): Update => ({
  memberId,
  userId: `u_${memberId}`,
  presence,
  unset,
  lastSeenAt: '2026-11-25T10:00:09.000Z',
});

const snapshot = (members: Member[], more = false): FeedEvent => ({
  type: 'snapshot',
  room: 'r',
  members,
  metadata: { room: 'r', kind: 'room', metadata: {}, updatedAt: null, updatedBy: null, version: 'a' },
  watching: 0,
  paceMs: 34,
  complete: true,
  at: 0,
  ...(more ? { more } : {}),
});

function run(...batches: { events?: FeedEvent[]; updates?: Update[] }[]): { state: RoomState; changes: Change[] } {
  let state = emptyRoom('r');
  const changes: Change[] = [];
  batches.forEach(({ events = [], updates = [] }, seq) => {
    const applied = applyBatch(state, { seq, events, updates });
    state = applied.state;
    changes.push(...applied.changes);
  });
  return { state, changes };
}

const ids = (state: RoomState) => state.members.map((row) => row.memberId);

describe('applyBatch', () => {
  it('starts with a snapshot', () => {
    const { state } = run({ events: [snapshot([member('b'), member('a')])] });
    expect(state.ready).toBe(true);
    expect(ids(state)).toEqual(['a', 'b']);
  });

  it('merges updates at the top level, removes what is unset, and keeps null', () => {
    const { state, changes } = run(
      { events: [snapshot([member('a', undefined, { cursor: { x: 1, y: 1 }, tool: 'pen', chat: 'hi' })])] },
      { updates: [update('a', { cursor: null, typing: true }, ['chat'])] },
    );
    expect(state.members[0]?.presence).toEqual({ cursor: null, typing: true, tool: 'pen' });
    expect(changes.at(-1)).toMatchObject({ type: 'updated', keys: ['cursor', 'typing', 'chat'] });
  });

  it('applies events before updates of the same batch', () => {
    const { state } = run({
      events: [snapshot([]), { type: 'joined', member: member('a') }],
      updates: [update('a', { tool: 'hand' })],
    });
    expect(state.members[0]?.presence).toEqual({ tool: 'hand' });
  });

  // F8
  it('never brings somebody back by a late update', () => {
    const { state, changes } = run(
      { events: [snapshot([member('a')])] },
      { events: [{ type: 'left', member: member('a'), reason: 'left' }], updates: [update('a', { typing: true })] },
      { updates: [update('a', { typing: true })] },
    );
    expect(ids(state)).toEqual([]);
    expect(changes.filter(({ type }) => type === 'updated')).toEqual([]);
  });

  // S1
  it('keeps everybody in place whatever they do', () => {
    const people = ['e', 'a', 'd', 'b', 'c'].map((id, i) => member(id, `2026-11-25T10:00:0${5 - i}.000Z`));
    let { state } = run({ events: [snapshot(people)] });
    const order = ids(state);
    for (let i = 0; i < 200; i++) {
      const who = order[(i * 7) % order.length] ?? '';
      const events: FeedEvent[] =
        i % 5 === 0
          ? [
              {
                type: i % 2 === 0 ? 'stale' : 'active',
                member: { ...member(who, people.find((row) => row.memberId === who)?.joinedAt), state: 'stale' },
              },
            ]
          : [];
      state = applyBatch(state, { seq: i, events, updates: [update(who, { cursor: { x: i, y: i } })] }).state;
      expect(ids(state)).toEqual(order);
    }
  });

  it('leaves rows that did not change as they are, and old states untouched', () => {
    const first = run({ events: [snapshot([member('a'), member('b')])] }).state;
    const before = JSON.stringify(first);
    const second = applyBatch(first, { seq: 1, events: [], updates: [update('b', { typing: true })] }).state;
    expect(JSON.stringify(first)).toBe(before);
    expect(second.members[0]).toBe(first.members[0]);
    expect(second.members[1]).not.toBe(first.members[1]);
  });

  it('tells arrivals from the rest of a large snapshot', () => {
    const { state, changes } = run(
      { events: [snapshot([member('a')], true)] },
      { events: [{ type: 'joined', member: member('b'), rest: true }] },
      { updates: [update('b', { typing: true })] },
      { events: [{ type: 'joined', member: member('c') }] },
    );
    expect(state.filling).toBe(false);
    expect(ids(state)).toEqual(['a', 'b', 'c']);
    const joined = changes.flatMap((change) =>
      change.type === 'joined' ? [[change.member.memberId, change.arrived]] : [],
    );
    expect(joined).toEqual([
      ['b', false],
      ['c', true],
    ]);
  });

  it('gives one who joins again the place of the new incarnation', () => {
    const { state } = run(
      { events: [snapshot([member('a', '2026-11-25T10:00:01.000Z'), member('b', '2026-11-25T10:00:02.000Z')])] },
      {
        events: [{ type: 'joined', member: member('a', '2026-11-25T10:00:03.000Z') }],
      },
    );
    expect(ids(state)).toEqual(['b', 'a']);
  });

  it('keeps two actors with one member id apart', () => {
    const other = {
      ...member('a'),
      actor: { kind: 'user' as const, userId: 'u_other', name: 'Other' },
      conflict: true,
    };
    const { state } = run({ events: [snapshot([member('a'), other])], updates: [update('a', { typing: true })] });
    expect(state.members.map((row) => [row.actor.userId, row.presence])).toEqual([
      ['u_a', { typing: true }],
      ['u_other', {}],
    ]);
  });

  // N8
  it('follows who may do what, and forgets it with the room that it was of', () => {
    const access = (epoch: number): Access => ({
      ...{ room: 'r', kind: 'room', creator: 'u_a', locked: false, epoch, rekeyedBy: null, rekeyedAt: null },
      people: [{ userId: 'u_a', name: 'Ada', host: true, voided: false, inside: true }],
    });
    const first = run({ events: [{ ...snapshot([]), access: access(0) } as FeedEvent] }).state;
    expect(first.access?.epoch).toBe(0);
    const { state, changes } = applyBatch(first, {
      seq: 1,
      events: [{ type: 'access', access: access(1) }],
      updates: [],
    });
    expect([state.access?.epoch, changes]).toEqual([1, [{ type: 'access', before: access(0) }]]);
    expect(applyBatch(state, { seq: 2, events: [snapshot([])], updates: [] }).state.access).toBeNull();
  });

  it('follows metadata, watchers and completeness, and ignores what it does not know', () => {
    const metadata = {
      room: 'r',
      kind: 'room' as const,
      metadata: { title: 'Plan' },
      updatedAt: null,
      updatedBy: 'u_a',
      version: 'b',
    };
    const unknown = { type: 'weather' } as unknown as FeedEvent;
    const { state, changes } = run({
      events: [
        snapshot([]),
        { type: 'metadata', metadata, changed: ['title'] },
        { type: 'watching', count: 2 },
        { type: 'pace', paceMs: 100 },
        { type: 'complete', complete: false },
        unknown,
      ],
    });
    expect(state).toMatchObject({ watching: 2, paceMs: 100, complete: false, metadata: { metadata: { title: 'Plan' } } });
    expect(changes.map(({ type }) => type)).toEqual(['snapshot', 'metadata', 'watching', 'complete']);
  });
});

describe('compareBytes', () => {
  it('orders as UTF-8 does, also beyond 16 bits', () => {
    expect(compareBytes('\u{1F600}', '\uFF5E')).toBeGreaterThan(0);
    expect(['b', 'a', 'aa', ''].sort(compareBytes)).toEqual(['', 'a', 'aa', 'b']);
  });
});
