import { rowKey, type Evidence, type Member, type PeerInfo } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { reachOf } from './reach.svelte';

const row = (id: string, sessionId: string, state: 'active' | 'stale' = 'active'): Member => ({
  ...{ room: 'r', kind: 'room', memberId: id, joinedAt: '', lastSeenAt: '', metadata: {}, presence: {} },
  ...{ actor: { kind: 'user', userId: id, name: id }, state, self: false, verified: true, conflict: false },
  sessions: [{ sessionId, state }],
});
const link = (sessionId: string, rttMs: number | null) => ({ sessionId, rttMs }) as PeerInfo;
const a = rowKey({ memberId: 'a', actor: { userId: 'a' } });

describe('reachOf', () => {
  it('counts the devices of one person and takes the shortest way', () => {
    const reach = reachOf(
      [row('a', '1'), row('a', '2', 'stale'), row('b', '3')],
      [link('1', 9), link('2', 3), link('3', null)],
    );
    expect(reach.get(a)).toMatchObject({ sessions: 2, silent: 1, linked: true, wasLinked: true, rttMs: 3, evidence: null });
    expect(reach.size).toBe(2);
  });

  it('knows each device by what it says, in the order in which they came', () => {
    const first = {
      ...row('a', '2', 'stale'),
      joinedAt: '2026-01-01',
      metadata: { device: { system: 'linux', app: 'window' } },
    };
    const second = { ...row('a', '1'), joinedAt: '2026-01-02' };
    const devices = reachOf([second, first], [link('1', 9)]).get(a)?.devices;
    expect(devices).toEqual([
      {
        sessionId: '2',
        device: { system: 'linux', app: 'window', name: null },
        joinedAt: '2026-01-01',
        silent: true,
        rttMs: null,
      },
      { sessionId: '1', device: null, joinedAt: '2026-01-02', silent: false, rttMs: 9 },
    ]);
  });

  it('takes what is known of the session that was heard last', () => {
    const heard = (heardMsAgo: number) => ({ heardMsAgo }) as Evidence;
    const known = (sessionId: string, heardMsAgo: number) => ({ ...row('a', sessionId), evidence: heard(heardMsAgo) });
    for (const rows of [
      [known('1', 900), known('2', 300), row('a', '3')],
      [row('a', '3'), known('2', 300), known('1', 900)],
    ]) {
      expect(reachOf(rows, []).get(a)?.evidence).toEqual(heard(300));
    }
  });

  it('remembers a link that is gone', () => {
    const before = reachOf([row('a', '1')], [link('1', 9)]);
    expect(reachOf([row('a', '1', 'stale')], [], before).get(a)).toMatchObject({
      linked: false,
      wasLinked: true,
      rttMs: null,
    });
    expect(reachOf([row('a', '1', 'stale')], []).get(a)).toMatchObject({ linked: false, wasLinked: false });
  });
});
