import {
  ParlorError,
  rowKey,
  type Backend,
  type Batch,
  type FeedEvent,
  type Join,
  type Member,
  type PresenceChange,
  type Status,
} from 'parlor-client';
import type { Subscriber } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import { RoomSession } from './session.svelte';

const status = {
  version: '0',
  profile: 'default',
  userId: 'u_me',
  name: 'Quiet Otter',
  color: '#286fe3',
  theme: 'system',
  named: true,
  peerId: 'p',
  sessionId: 's',
  listen: [],
  network: 'online',
  links: 1,
  clockAheadMs: null,
  newer: 0,
  cloned: null,
  notices: [],
} satisfies Status;

const member = (id: string, presence: Record<string, unknown> = {}, joinedAt = '2026-11-25T09:00:00.000Z'): Member => ({
  room: 'r',
  kind: 'room',
  memberId: id,
  joinedAt,
  lastSeenAt: joinedAt,
  metadata: {},
  presence,
  actor: { kind: 'user', userId: id, name: id },
  state: 'active',
  self: id === 'u_me',
  verified: true,
  conflict: false,
});

const metadata = (values: Record<string, unknown>, by: string | null = null) => ({
  room: 'r',
  kind: 'room' as const,
  metadata: values,
  updatedAt: by === null ? null : '2026-11-28T10:00:00.000Z',
  updatedBy: by,
  version: 'a',
});

const snapshot = (members: Member[]): FeedEvent => ({
  type: 'snapshot',
  room: 'r',
  members,
  metadata: metadata({}, 'u_before'),
  watching: 0,
  paceMs: 34,
  complete: true,
  at: 0,
});

/** A peer whose feed is the test's to write. */
class Peer {
  subscriber: Subscriber | null = null;
  readonly joins: Join[] = [];
  readonly said: PresenceChange[] = [];
  left = 0;
  #seq = 0;

  says(events: FeedEvent[], updates: Batch['updates'] = []) {
    this.subscriber?.batch({ seq: ++this.#seq, events, updates });
  }

  get backend(): Backend {
    return {
      createRoom: async () => ({}),
      subscribe: async (_: string, subscriber: Subscriber) => {
        this.subscriber = subscriber;
        return () => (this.subscriber = null);
      },
      join: async (_: string, args: Join) => {
        this.joins.push(args);
        return { ...member('u_me', args.presence) };
      },
      presence: async (_: string, change: PresenceChange) => void this.said.push(change),
      setMetadata: async (_: string, args: { metadata?: Record<string, unknown> }) =>
        metadata(args.metadata ?? {}, 'u_me'),
      leave: async () => void (this.left += 1),
    } as unknown as Backend;
  }
}

let peer: Peer;
let notes: Notes;
let session: RoomSession;

async function entered(members: Member[]) {
  const done = session.enter();
  await vi.waitFor(() => expect(peer.subscriber).not.toBeNull());
  peer.says([snapshot(members)]);
  await done;
}

const mine = (joinedAt?: string) => member('u_me', peer.joins.at(-1)?.presence, joinedAt);

beforeEach(() => {
  peer = new Peer();
  notes = new Notes();
  session = new RoomSession(peer.backend, crypto.randomUUID(), () => status, notes);
});
afterEach(() => session.leave());

describe('RoomSession', () => {
  // S7, N10: the peer counts the sessions; people whom somebody made up are members, and slow no pointer down.
  it('tells what moves at the pace that the peer says, however many members there are', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      await entered([]);
      peer.says([{ type: 'joined', member: mine() }]);
      await vi.advanceTimersByTimeAsync(2_000);
      peer.says(Array.from({ length: 200 }, (_, n) => ({ type: 'joined', member: member(`u_${n}`) })));
      const spoken = async () => {
        peer.said.length = 0;
        for (let n = 0; n < 100; n++) {
          session.outbox.set({ cursor: { x: n, y: 0 } });
          await vi.advanceTimersByTimeAsync(10);
        }
        return peer.said.length;
      };
      expect(await spoken()).toBeGreaterThan(25);
      peer.says([{ type: 'pace', paceMs: 250 }]);
      expect(await spoken()).toBeLessThan(6);
    } finally {
      vi.useRealTimers();
    }
  });

  it('hands what is said and not kept to whoever waits for its type', async () => {
    await entered([]);
    const said = (type: string, kept: boolean, id: string): FeedEvent => ({
      type: 'message',
      message: { id, type, data: 1, actor: member('u_a').actor, memberId: 'u_a', publishedAt: '2026-11-25T09:00:00.000Z', kept },
    });
    const heard: string[] = [];
    const end = session.onEvent('gather', (message) => heard.push(message.id));
    peer.says([said('gather', false, 'm1'), said('reaction', false, 'm2'), said('gather', true, 'm3')]);
    expect(heard).toEqual(['m1']);
    end();
    peer.says([said('gather', false, 'm4')]);
    expect(heard).toEqual(['m1']);
  });

  it('joins whole: name, colour, status, tool and view in the first frame', async () => {
    await entered([]);
    expect(session.phase).toBe('in');
    expect(peer.joins).toEqual([
      {
        presence: {
          name: 'Quiet Otter',
          color: '#286fe3',
          status: 'online',
          tool: 'select',
          viewport: expect.objectContaining({ zoom: 1 }),
        },
      },
    ]);
  });

  it('says what it runs on beside what a program said of this person, and again when that has another name', async () => {
    session.own.device = { system: 'linux', app: 'window', name: null };
    await entered([{ ...member('u_me'), metadata: { role: 'scribe', device: { name: 'Old' } } }]);
    expect(peer.joins[0]?.metadata).toEqual({ role: 'scribe', device: { system: 'linux', app: 'window' } });
    await session.setDevice({ system: 'linux', app: 'window', name: 'Laptop' });
    expect(peer.joins.map((join) => join.metadata?.['device'])).toEqual([
      { system: 'linux', app: 'window' },
      { system: 'linux', app: 'window', name: 'Laptop' },
    ]);
  });

  it('joins with another colour when somebody has the saved one', async () => {
    await entered([member('u_a', { color: '#286fe3' })]);
    expect(peer.joins[0]?.presence?.['color']).not.toBe('#286fe3');
  });

  it('picks again when it came last and the colour turns out to be taken', async () => {
    await entered([]);
    peer.says([
      { type: 'joined', member: mine('2026-11-25T10:00:00.000Z') },
      { type: 'joined', member: member('u_a', { color: '#286fe3' }), rest: true },
    ]);
    await vi.waitFor(() => expect(peer.said.length).toBe(1));
    expect(peer.said[0]?.presence['color']).not.toBe('#286fe3');
  });

  // F5
  it('joins again when its row is gone from a snapshot', async () => {
    await entered([]);
    peer.says([{ type: 'joined', member: mine() }]);
    session.own.setRole('scribe');
    peer.says([snapshot([member('u_a')])]);
    await vi.waitFor(() => expect(peer.joins.length).toBe(2));
    expect(peer.joins[1]?.presence).toMatchObject({ name: 'Quiet Otter', role: 'scribe' });
  });

  // F5
  it('joins again, whole, when the peer does not know it any more', async () => {
    await entered([]);
    session.own.setRole('scribe');
    const gone = new ParlorError({ code: 'NOT_JOINED', message: 'join first', recoverable: true });
    vi.spyOn(session.backend, 'presence').mockRejectedValueOnce(gone);
    session.setTool('pen');
    await vi.waitFor(() => expect(peer.joins.length).toBe(2));
    expect(peer.joins[1]?.presence).toMatchObject({ name: 'Quiet Otter', role: 'scribe', tool: 'pen' });
  });

  // G2
  it.each(['left', 'disconnected', 'timeout', 'expired', 'superseded', 'evicted'] as const)(
    'draws nothing more of somebody who is gone: %s',
    async (reason) => {
      await entered([member('u_a', { cursor: { x: 1, y: 1 } })]);
      const heard: [string, boolean][] = [];
      session.onHot((key, who) => heard.push([key, who !== null]));
      heard.length = 0;
      const gone = member('u_a', { cursor: { x: 1, y: 1 } });
      peer.says([{ type: 'left', member: gone, reason }]);
      expect(heard).toEqual([[rowKey(gone), false]]);
      expect(session.memberOf(rowKey(gone))).toBeUndefined();
      expect([session.people.map((person) => person.state), session.others]).toEqual([['left'], 0]);
    },
  );

  // F11
  it('forgets whoever is not in the snapshot that it comes back to', async () => {
    const [a, b] = [member('u_a', { cursor: { x: 1, y: 1 } }), member('u_b', { cursor: { x: 2, y: 2 } })];
    await entered([a, b]);
    peer.says([{ type: 'joined', member: mine() }]);
    const drawn = new Set<string>();
    session.onHot((key, who) => (key === '' ? drawn.clear() : who === null ? drawn.delete(key) : drawn.add(key)));
    peer.subscriber?.link?.(false);
    expect(drawn.has(rowKey(b))).toBe(true);
    peer.subscriber?.link?.(true);
    peer.says([snapshot([mine(), a])]);
    expect(session.people.map((person) => person.memberId)).toEqual(['u_a', 'u_me']);
    expect([...drawn].sort()).toEqual([rowKey(a), rowKey(mine())].sort());
  });

  // F13
  it('keeps everybody while its own connection is out, and says that it is', async () => {
    vi.useFakeTimers();
    try {
      const entering = session.enter();
      await vi.advanceTimersByTimeAsync(1);
      peer.says([snapshot([member('u_a'), member('u_b')])]);
      await entering;
      const stale: Member = { ...member('u_a'), state: 'stale' };
      const lost = [
        () => peer.subscriber?.link?.(false),
        () => peer.says([{ type: 'complete', complete: false }, { type: 'stale', member: stale }]),
      ];
      const back = [
        () => {
          peer.subscriber?.link?.(true);
          peer.says([snapshot([member('u_a'), member('u_b')])]);
        },
        () => peer.says([{ type: 'complete', complete: true }]),
      ];
      for (const [way, lose] of lost.entries()) {
        lose();
        await vi.advanceTimersByTimeAsync(60_000);
        expect(session.people.map((person) => person.memberId)).toEqual(['u_a', 'u_b']);
        expect(session.people.every((person) => person.state !== 'left')).toBe(true);
        expect(session.connection.phase).toBe('red');
        back[way]?.();
        await vi.advanceTimersByTimeAsync(1);
        expect(session.connection.phase).toBe('back');
      }
      expect([notes.said, notes.shown]).toEqual(['', []]);
    } finally {
      vi.useRealTimers();
    }
  });

  // F1
  it('says nothing of comings and goings when somebody changes', async () => {
    vi.useFakeTimers();
    try {
      const entering = session.enter();
      await vi.advanceTimersByTimeAsync(1);
      peer.says([snapshot([member('u_a', { name: 'Ada' })])]);
      await entering;
      const row = { memberId: 'u_a', userId: 'u_a', unset: [], lastSeenAt: '2026-11-25T10:00:00.000Z' };
      for (let i = 0; i < 5; i++) {
        peer.says([], [{ ...row, presence: { status: `busy ${i}` } }]);
        peer.says([{ type: 'active', member: { ...member('u_a', { name: `Ada ${i}` }), metadata: { role: i } } }]);
        await vi.advanceTimersByTimeAsync(1_000);
      }
      await vi.advanceTimersByTimeAsync(60_000);
      expect([notes.said, notes.shown]).toEqual(['', []]);
      expect(session.people.map((person) => person.name)).toEqual(['Ada 4']);
    } finally {
      vi.useRealTimers();
    }
  });

  // F2
  it('shows who comes and who goes, and nothing of somebody who is back before it is told', async () => {
    vi.useFakeTimers();
    try {
      const entering = session.enter();
      await vi.advanceTimersByTimeAsync(1);
      peer.says([snapshot([member('u_a', { name: 'Ada' })])]);
      await entering;
      const shown = () => notes.shown.map(({ text }) => text);
      const bo = member('u_b', { name: 'Bo' });
      peer.says([{ type: 'joined', member: bo }, { type: 'joined', member: member('u_c', { name: 'Cy' }) }]);
      await vi.advanceTimersByTimeAsync(3_100);
      expect(shown()).toEqual(['Bo and Cy joined']);
      peer.says([{ type: 'left', member: bo, reason: 'timeout' }]);
      await vi.advanceTimersByTimeAsync(9_000);
      expect(shown()).toEqual([]);
      peer.says([{ type: 'joined', member: bo }]);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(shown()).toEqual([]);
      peer.says([{ type: 'left', member: bo, reason: 'left' }]);
      await vi.advanceTimersByTimeAsync(10_100);
      expect(shown()).toEqual(['Bo left']);
    } finally {
      vi.useRealTimers();
    }
  });

  // M2
  it('leaves with the last of two pages in the room, not with the first', async () => {
    // The pages of one browser hear each other at once.
    const channels = new Set<EventTarget>();
    class Channel extends EventTarget {
      constructor() {
        super();
        channels.add(this);
      }
      postMessage(data: unknown) {
        for (const other of channels) if (other !== this) other.dispatchEvent(new MessageEvent('message', { data }));
      }
      close() {
        channels.delete(this);
      }
    }
    vi.stubGlobal('BroadcastChannel', Channel);
    try {
      const pages = [new Peer(), new Peer()].map((peer) => ({
        peer,
        page: new RoomSession(peer.backend, 'm2', () => status, new Notes()),
      }));
      for (const { peer, page } of pages) {
        const entering = page.enter();
        await vi.waitFor(() => expect(peer.subscriber).not.toBeNull());
        peer.says([snapshot([])]);
        await entering;
      }
      const told = () => pages.map(({ peer }) => peer.left);
      await pages[0]?.page.leave();
      expect(told()).toEqual([0, 0]);
      await pages[1]?.page.leave();
      expect(told()).toEqual([0, 1]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  // F14
  it('leaves for good when the peer cannot be told, and can be entered again', async () => {
    await entered([]);
    vi.spyOn(session.backend, 'leave').mockRejectedValueOnce(new Error('the channel is closed'));
    await expect(session.leave()).resolves.toBeUndefined();
    expect(peer.subscriber).toBeNull();
    session = new RoomSession(peer.backend, session.room, () => status, notes);
    await entered([]);
    expect([session.phase, peer.joins.length]).toEqual(['in', 2]);
  });

  it('makes no row anew for a cursor, and tells the board of it', async () => {
    await entered([member('u_a')]);
    const rows = session.people;
    const heard: string[][] = [];
    session.onHot((_, __, keys) => heard.push([...keys]));
    heard.length = 0;
    const update = { memberId: 'u_a', userId: 'u_a', unset: [], lastSeenAt: '2026-11-25T10:00:00.000Z' };
    peer.says([], [{ ...update, presence: { cursor: { x: 1, y: 1, t: 1 } } }]);
    expect(session.people).toBe(rows);
    expect(heard).toEqual([['cursor']]);
    peer.says([], [{ ...update, presence: { typing: true } }]);
    expect(session.people[0]?.typing).toBe(true);
  });

  it('keeps those who left in their place for ten seconds', async () => {
    vi.useFakeTimers();
    try {
      const entering = session.enter();
      await vi.advanceTimersByTimeAsync(1);
      peer.says([snapshot([member('u_a'), member('u_b'), member('u_c')])]);
      await entering;
      peer.says([{ type: 'left', member: member('u_b'), reason: 'timeout' }]);
      const shown = () => session.people.map((person) => [person.memberId, person.state]);
      expect(shown()).toEqual([
        ['u_a', 'active'],
        ['u_b', 'left'],
        ['u_c', 'active'],
      ]);
      expect(session.others).toBe(2);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(shown()).toEqual([
        ['u_a', 'active'],
        ['u_c', 'active'],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes what was so before one came for no news, however late it arrives', async () => {
    await entered([member('u_a', { name: 'Ada' })]);
    const fresh = { ...snapshot([member('u_a', { name: 'Ada' })]), metadata: metadata({}) } as FeedEvent;
    peer.says([fresh]);
    peer.says([{ type: 'metadata', metadata: metadata({ title: 'B' }, 'u_a'), changed: ['title'] }]);
    expect(session.settings.title).toBe('B');
    expect(notes.shown).toEqual([]);
    peer.says([{ type: 'metadata', metadata: metadata({ title: 'C' }, 'u_a'), changed: ['title'] }]);
    expect(notes.shown.map((note) => note.text)).toEqual(['Ada renamed this room']);
  });

  it('tells of a rename by another with Undo, and not of an own one', async () => {
    await entered([member('u_a', { name: 'Ada' })]);
    peer.says([{ type: 'metadata', metadata: metadata({ title: 'B' }, 'u_a'), changed: ['title'] }]);
    expect(notes.shown.map((note) => [note.text, note.action?.label])).toEqual([['Ada renamed this room', 'Undo']]);
    peer.says([{ type: 'metadata', metadata: metadata({ title: 'C' }, 'u_me'), changed: ['title'] }]);
    expect(notes.shown.length).toBe(1);
    notes.shown[0]?.action?.run();
    expect(session.settings.title).toBe('C'); // what was changed since is not undone
  });

  it('changes nothing in a locked room but the lock', async () => {
    await entered([]);
    peer.says([
      { type: 'metadata', metadata: metadata({ locked: true, title: 'A' }, 'u_a'), changed: ['locked', 'title'] },
    ]);
    await session.settings.setText('title', 'B');
    expect(session.settings.title).toBe('A');
    await session.settings.change({ metadata: { locked: false } });
    expect(session.settings.locked).toBe(false);
  });

  it('keeps the own status while it is away', async () => {
    await entered([]);
    session.own.setStatus('busy');
    session.setAway(true);
    session.setAway(false);
    await vi.waitFor(() => expect(peer.said.at(-1)?.presence['status']).toBe('busy'));
    expect(peer.left).toBe(0);
  });

  it('tells why it could not enter, and leaves when it goes', async () => {
    const refused = new ParlorError({ code: 'TOO_MANY_ROOMS', message: 'no', recoverable: true });
    vi.spyOn(session.backend, 'createRoom').mockRejectedValueOnce(refused);
    await session.enter();
    expect([session.phase, session.error?.code]).toEqual(['failed', 'TOO_MANY_ROOMS']);
    await entered([]);
    expect(session.phase).toBe('in');
    await session.leave();
    await session.leave();
    expect(peer.left).toBe(1);
  });
});
