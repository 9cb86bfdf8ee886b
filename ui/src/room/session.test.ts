import {
  ParlorError,
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
  updatedAt: null,
  updatedBy: by,
});

const snapshot = (members: Member[]): FeedEvent => ({
  type: 'snapshot',
  room: 'r',
  members,
  metadata: metadata({}),
  watching: 0,
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

  it('joins again when its row is gone from a snapshot', async () => {
    await entered([]);
    peer.says([{ type: 'joined', member: mine() }]);
    session.setRole('scribe');
    peer.says([snapshot([member('u_a')])]);
    await vi.waitFor(() => expect(peer.joins.length).toBe(2));
    expect(peer.joins[1]?.presence).toMatchObject({ name: 'Quiet Otter', role: 'scribe' });
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
    session.setStatus('busy');
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
