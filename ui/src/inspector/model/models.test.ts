/** What the inspector makes of what a peer tells, in the words in which peers tell it. */
import type { CellOutcome, CellVersion, HeldCell, Inspected, InspectSnapshot, PeerInfo } from 'parlor-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { Convergence, linesOf } from './convergence';
import { filterOf } from './filter';
import { LogView } from './log-view';
import { Mesh } from './mesh';
import { Peers } from './peers';
import { Refusals } from './refusals';
import { Registers } from './registers';
import { ROWS, SeenLog } from './seen-log';

const [SELF, OTTER, HERON] = ['5a'.repeat(32), '65'.repeat(32), '7b'.repeat(32)];
const REGISTER = { kind: 'metadata', object: '', field: 'title' } as const;

let number = 0;
beforeEach(() => (number = 0));

function seen<What extends Inspected['what']>(
  what: What,
  more: object,
  { at = 1_000, room = 'quay' as string | null } = {},
): Inspected {
  number += 1;
  return { number, wallMs: at, tickMs: at, ...(room !== null && { room }), what, ...more } as unknown as Inspected;
}

const version = (wallMs: number, writer = 'u_otter', value = 'aa'): CellVersion => ({ wallMs, count: 0, writer, value });
const cell = (outcome: CellOutcome, mine: CellVersion, held: CellVersion | null = null, own = false) =>
  seen('cell', { register: REGISTER, version: mine, outcome, held, own }, { at: mine.wallMs + 5 });
const frameIn = (more: object = {}) =>
  seen('frameIn', {
    ...{ kind: 'delta', author: OTTER, via: OTTER, path: 'gossip', bytes: 26, verdict: 'ignore', reasons: [] },
    ...more,
  });

function snapshot(more: Partial<InspectSnapshot> = {}, cells: HeldCell[] = []): InspectSnapshot {
  const rooms = { quay: { hash: 'aa', complete: true, cells, records: [], leftOut: 0 } };
  return { wallMs: 1_000, sessionId: SELF, rooms, recorded: {}, peers: [], counters: {}, ...more };
}

const peer = (sessionId: string, more: Partial<PeerInfo> = {}): PeerInfo => ({
  ...{ peerId: `12D3${sessionId}`, sessionId, addresses: [], direction: 'in', transport: 'tcp', rttMs: 1, clockAheadMs: 0 },
  ...{ version: '0.1.0', speaks: 'same', rooms: ['quay'], source: 'inbound', name: null, watchdog: 0 },
  ...more,
});

describe('the log', () => {
  it('gives a frame what it did, and what is written here to the frame that takes it out', () => {
    const log = new SeenLog();
    log.add(cell({ is: 'won' }, version(1), null, true));
    log.add(seen('presence', { session: OTTER, member: 'u_otter', known: 0, since: 0, rev: 1, whole: false, named: ['x'], changed: ['x'] }));
    log.add(seen('presence', { session: HERON, member: 'u_heron', known: 0, since: 0, rev: 1, whole: false, named: ['y'], changed: ['y'] }, { room: 'other' }));
    log.add(frameIn());
    log.add(seen('frameOut', { kind: 'beat', bytes: 25 }));
    log.add(seen('frameOut', { kind: 'cells', bytes: 124 }));
    log.add(frameIn({ via: HERON, reasons: ['delta_gap'] }));
    const rows = [...log.rows].map(({ dir, kind, keys, did, via, reasons }) => [dir, kind, keys.join(), did.length, via, reasons.length]);
    expect(rows).toEqual([
      ['in', 'delta', 'x', 1, null, 0],
      ['out', 'beat', '', 0, null, 0],
      ['out', 'cells', 'title', 1, null, 0],
      ['in', 'delta', '', 0, HERON, 1],
    ]);
  });

  it('keeps the newest ten thousand, and a view of some of them goes on from where it was', () => {
    const log = new SeenLog();
    const view = new LogView();
    const columns = [{ id: 'bytes', find: () => '', number: (row: { bytes: number | null }) => row.bytes }];
    const filter = filterOf<Parameters<typeof columns[0]['number']>[0]>('bytes:<10', columns);
    let looked = 0;
    const counted = { ...filter, matches: (row: { bytes: number | null }) => ((looked += 1), filter.matches(row)) };
    for (let n = 0; n < ROWS + 500; n++) log.add(frameIn({ bytes: n % 100 }));
    expect([log.rows.length, log.rows.start]).toEqual([ROWS, 500]);
    view.show(log.rows, counted, false);
    expect([view.shown.length, looked]).toEqual([ROWS / 10, ROWS]);
    log.add(frameIn({ bytes: 5 }));
    log.add(frameIn({ bytes: 50 }));
    view.show(log.rows, counted, true);
    expect(view.shown.length, 'held').toBe(ROWS / 10);
    view.show(log.rows, counted, false);
    expect([view.shown.length, looked]).toEqual([ROWS / 10 + 1, ROWS + 2]);
  });
});

describe('registers', () => {
  it('keep what lost, and by what', () => {
    const registers = new Registers();
    const held: HeldCell = { register: REGISTER, version: version(10), value: 'One', read: true };
    registers.snapshot(snapshot({}, [held]));
    registers.add(cell({ is: 'lost', by: 'clock' }, version(4, 'u_heron'), version(10)));
    registers.add(cell({ is: 'known' }, version(10), version(10)));
    registers.add(cell({ is: 'won' }, version(20, 'u_heron'), version(10)));
    registers.add(cell({ is: 'won' }, version(20, 'u_wren'), version(20, 'u_heron')));
    registers.add(cell({ is: 'refused', why: 'outranked' }, version(30), version(20, 'u_wren')));
    const [row] = [...registers.rows];
    expect([row?.writer, row?.at, row?.outdated, registers.outdated]).toEqual(['u_wren', 20, true, true]);
    expect(row?.losses.map(({ why, version: { writer } }) => [writer, why])).toEqual([
      ['u_otter', { is: 'refused', name: 'outranked' }],
      ['u_heron', { is: 'overwritten', by: 'writer' }],
      ['u_otter', { is: 'overwritten', by: 'clock' }],
      ['u_heron', { is: 'lost', by: 'clock' }],
    ]);
    // The next snapshot brings the value, and forgets none of that.
    registers.snapshot(snapshot({}, [{ ...held, version: version(20, 'u_wren'), value: 'Two' }]));
    const [after] = [...registers.rows];
    expect([after?.value, after?.outdated, after?.losses.length, registers.outdated]).toEqual(['Two', false, 4, false]);
  });

  it('of presence are as old as the change that was seen', () => {
    const registers = new Registers();
    const records = [
      {
        ...{ sessionId: OTTER, incarnation: 1, memberId: 'u_otter', userId: 'u_otter', own: false, rev: 3, stale: false },
        fields: [
          { key: 'x', value: 1, rev: 2 },
          { key: 'typing', value: true, rev: 3, expiresMs: 400 },
        ],
      },
    ];
    const rooms = { quay: { hash: 'aa', complete: true, cells: [], records, leftOut: 3 } };
    registers.snapshot(snapshot({ rooms }));
    expect([...registers.rows].map(({ key, at, expiresAt, rev }) => [key, at, expiresAt, rev])).toEqual([
      ['x', null, null, 2],
      ['typing', null, 1_400, 3],
    ]);
    expect(registers.leftOut).toBe(3);
    registers.add(seen('presence', { session: OTTER, member: 'u_otter', changed: ['x'], rev: 4 }, { at: 2_000 }));
    expect([...registers.rows].map(({ key, at, outdated }) => [key, at, outdated])).toContainEqual(['x', 2_000, true]);
  });
});

describe('peers', () => {
  it('have round trips by what was measured, and stay when they are gone', () => {
    const peers = new Peers();
    peers.linked([peer(OTTER, { rttMs: 9 })], false);
    for (let rttMs = 1; rttMs <= 100; rttMs++) peers.linked([peer(OTTER, { rttMs }), peer(HERON, { rttMs: null })], true);
    peers.add(frameIn());
    peers.add(seen('disconnected', { peerId: `12D3${OTTER}`, connections: 0, reason: 'the watchdog wants a fresh one: …' }, { room: null }));
    peers.linked([peer(HERON)], false);
    const rows = peers.rows.map(({ info, gone, p50, p99, samples, heardAt, frames, watchdog }) => [
      ...[info.sessionId === OTTER, gone, p50, p99, samples, heardAt, frames, watchdog],
    ]);
    expect(rows).toEqual([
      [true, true, 50, 99, 100, 1_000, 1, 1],
      [false, false, null, null, 0, null, 0, 0],
    ]);
  });
});

describe('convergence', () => {
  const beat = (at: number, theirs: string, session = OTTER) => seen('hash', { session, mine: 'aa', theirs }, { at });

  it('tells since when somebody agrees, and how long it took', () => {
    const convergence = new Convergence();
    convergence.snapshot(snapshot());
    for (const [at, theirs] of [[0, 'aa'], [2_000, 'bb'], [4_000, 'cc'], [6_500, 'aa'], [8_500, 'aa']] as const)
      convergence.add(beat(at, theirs));
    convergence.add(seen('sync', { session: OTTER, step: 'sends', count: 3 }));
    convergence.add(seen('sync', { session: OTTER, step: 'asks', count: 9 }));
    expect(convergence.rows).toMatchObject([
      { agrees: true, since: 6_500, tookMs: 4_500, longestMs: 4_500, times: 1, exchanged: 3, at: 8_500 },
    ]);
    const [times, line] = linesOf(convergence.moments, [`quay\u0000${OTTER}`], 10_000);
    expect([times, line]).toEqual([[0, 2, 4, 6.5, 8.5], [0, 0, 2, 0, 0]]);
  });

  it('forgets who is gone, and what is older than the chart', () => {
    const convergence = new Convergence();
    convergence.snapshot(snapshot());
    convergence.add(beat(1_000, 'bb'));
    convergence.add(beat(400_000, 'bb', HERON));
    expect(linesOf(convergence.moments, [`quay\u0000${OTTER}`, `quay\u0000${HERON}`], 400_000)[0]).toEqual([400]);
    convergence.add(seen('lease', { session: OTTER, state: 'over', silentMs: 10_000 }));
    expect(convergence.rows.map(({ session }) => session)).toEqual([HERON]);
    convergence.snapshot(snapshot({ rooms: {} }));
    expect(convergence.rows).toEqual([]);
  });
});

describe('refusals', () => {
  it('are counted once, wherever they are told', () => {
    const refusals = new Refusals();
    refusals.snapshot(snapshot({ counters: { delta_gap: 4, over_budget: 0 } }));
    refusals.add(frameIn({ reasons: ['delta_gap', 'certificate'] }));
    refusals.add(seen('counted', { name: 'over_budget', times: 7 }, { room: null, at: 2_000 }));
    expect(refusals.rows).toEqual([
      { id: 'delta_gap', name: 'delta_gap', total: 5, seen: 1, at: 1_000, peer: OTTER, room: 'quay' },
      { id: 'certificate', name: 'certificate', total: 1, seen: 1, at: 1_000, peer: OTTER, room: 'quay' },
      { id: 'over_budget', name: 'over_budget', total: 7, seen: 7, at: 2_000, peer: null, room: null },
    ]);
  });
});

describe('counters of what goes well', () => {
  it('come with snapshots alone', () => {
    const refusals = new Refusals();
    refusals.snapshot(snapshot({ counters: { sent: 4, delta_gap: 1 } }));
    refusals.untold(snapshot({ counters: { sent: 9, delta_gap: 3, connection_opened: 1 } }));
    expect(refusals.rows.map(({ name, total, seen: fresh }) => [name, total, fresh])).toEqual([
      ['sent', 9, 5],
      ['delta_gap', 1, 0],
      ['connection_opened', 1, 1],
    ]);
  });
});

describe('the mesh', () => {
  it('is of the own links, and of ways by which frames came lately', () => {
    const mesh = new Mesh();
    mesh.snapshot(snapshot());
    mesh.linked([peer(OTTER, { rttMs: 2 }), peer('cc'.repeat(32), { rooms: [] })]);
    mesh.add(seen('presence', { session: HERON, member: 'u_heron', changed: [], rev: 1 }));
    mesh.add(frameIn({ author: HERON, via: OTTER }));
    const { nodes, edges } = mesh.picture(2_000);
    expect(nodes.map(({ state }) => state)).toEqual(['self', 'linked', 'linked', 'relayed']);
    expect(edges.map(({ kind, rttMs }) => [kind, rttMs])).toEqual([['link', 2], ['connection', 1], ['relay', null]]);
    // Silence greys; a way by which nothing comes is none; whoever is given up is gone.
    mesh.add(seen('lease', { session: HERON, state: 'stale', silentMs: 5_000 }));
    const later = mesh.picture(60_000);
    expect([later.nodes.at(-1)?.state, later.edges.length]).toEqual(['stale', 2]);
    mesh.add(seen('lease', { session: HERON, state: 'over', silentMs: 10_000 }));
    mesh.add(seen('link', { session: OTTER, up: false, cause: 'timedOut' }));
    expect(mesh.picture(60_000)).toMatchObject({ nodes: [{}, {}, {}], edges: [{ kind: 'connection' }, {}] });
  });
});
