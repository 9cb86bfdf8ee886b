// @vitest-environment happy-dom
import type { Follower, Inspect, InspectSnapshot } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Inspector, type Looked } from './inspector.svelte';

const SELF = '5a'.repeat(32);

function snapshot(value = 'One'): InspectSnapshot {
  const register = { kind: 'metadata', object: '', field: 'title' } as const;
  const version = { wallMs: 1, count: 0, writer: 'u_otter', value: 'aa' };
  const own = { sessionId: SELF, incarnation: 1, memberId: 'u_otter', userId: 'u_otter', own: true, rev: 1, stale: false };
  const cells = [{ register, version, value, read: true }];
  const rooms = { quay: { hash: 'aa', complete: true, cells, records: [{ ...own, fields: [] }], leftOut: 0 } };
  return { wallMs: 1, sessionId: SELF, rooms, recorded: {}, peers: [], counters: { watchdog: 2 } };
}

const won = (wallMs: number) =>
  ({
    ...{ type: 'seen', number: wallMs, wallMs, tickMs: wallMs, room: 'quay', what: 'cell', own: false },
    ...{ register: { kind: 'metadata', object: '', field: 'title' }, outcome: { is: 'won' }, held: null },
    version: { wallMs, count: 0, writer: 'u_heron', value: 'bb' },
  }) as unknown as Inspect;
const beat = (number: number) =>
  ({
    ...{ type: 'seen', number, wallMs: number, tickMs: number, room: 'quay', what: 'frameOut', kind: 'beat', bytes: 25 },
  }) as unknown as Inspect;

describe('an inspector', () => {
  let follower: Follower<Inspect>;
  let inspector: Inspector;
  let stop: () => void;
  const ended = vi.fn();
  const inspectOnce = vi.fn(async () => snapshot('Two'));
  const members = vi.fn(async () => ({ members: [], nextCursor: null, total: 0, complete: true, watching: 0 }));

  beforeEach(() => {
    vi.useFakeTimers();
    inspectOnce.mockClear();
    members.mockClear();
    const backend = {
      ...{ kind: 'web', inspectOnce, members, peers: async () => [] },
      status: async () => ({ userId: 'u_otter', name: 'Quiet Otter', peerId: '12D3x', sessionId: SELF }),
      inspect: (given: Follower<Inspect>) => ((follower = given), ended),
    } as unknown as Looked;
    inspector = new Inspector(backend);
    stop = inspector.start();
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it('takes in what it is told, and shows it a few times a second', async () => {
    follower.link?.(true);
    follower.item({ type: 'snapshot', ...snapshot() });
    expect([inspector.up, inspector.rooms, inspector.turn]).toEqual([true, ['quay'], 0]);
    for (let n = 0; n < 500; n++) follower.item(beat(n));
    await vi.advanceTimersByTimeAsync(160);
    expect([inspector.turn, inspector.log.rows.length, inspector.peers.watchdog]).toEqual([1, 500, 2]);
    expect(inspector.nameOf(SELF)).toBe('this peer');
    expect(members).toHaveBeenCalledWith('quay', { by: 'session', limit: 256, evidence: true });
  });

  it('notes everything while it is paused and shows nothing', async () => {
    inspector.pause(true);
    follower.item({ type: 'snapshot', ...snapshot() });
    for (let n = 0; n < 50; n++) follower.item(beat(n));
    follower.item({ type: 'missed', count: 7 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect([inspector.turn, inspector.log.rows.length, inspector.missed]).toEqual([0, 50, 7]);
    inspector.pause(false);
    expect(inspector.turn).toBe(1);
  });

  it('asks for values that were written, at most once a second and only while they are on screen', async () => {
    follower.item({ type: 'snapshot', ...snapshot() });
    for (let n = 2; n < 40; n++) {
      follower.item(won(n));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(inspectOnce).not.toHaveBeenCalled();
    inspector.valuesShown = true;
    for (let n = 40; n < 80; n++) {
      follower.item(won(n));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(inspectOnce.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(inspectOnce.mock.calls.length).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(3_000);
    const asked = inspectOnce.mock.calls.length;
    expect([...inspector.registers.rows].map(({ value }) => value)).toEqual(['Two']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(inspectOnce.mock.calls.length, 'nothing was written since').toBe(asked);
  });

  it('keeps the room that was chosen for as long as it is open', () => {
    follower.item({ type: 'snapshot', ...snapshot() });
    inspector.room = 'quay';
    follower.item({ type: 'snapshot', ...snapshot() });
    expect([inspector.room, inspector.inRoom('quay'), inspector.inRoom('deck')]).toEqual(['quay', true, false]);
    follower.item({ type: 'snapshot', ...snapshot(), rooms: {} });
    expect(inspector.room).toBeNull();
  });

  it('ends the look when the page does', () => {
    ended.mockClear();
    stop();
    expect(ended).toHaveBeenCalledOnce();
  });
});
