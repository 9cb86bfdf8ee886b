import { ParlorError, type Access, type Backend, type FeedEvent, type Keyholder, type Member, type Status } from 'parlor-client';
import type { Subscriber } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import { powersOver, standingOf } from '../domain/access';
import { RoomSession } from './session.svelte';

const keyholder = (userId: string, more: Partial<Keyholder> = {}): Keyholder => ({
  ...{ userId, name: userId, host: false, voided: false, inside: true },
  ...more,
});

const access = (creator: string, people: Keyholder[], more: Partial<Access> = {}): Access => ({
  ...{ room: 'r', kind: 'room', creator, locked: false, epoch: 0, rekeyedBy: null, rekeyedAt: null },
  people: [keyholder(creator, { host: true }), ...people],
  ...more,
});

const member = (id: string): Member => ({
  ...{ room: 'r', kind: 'room', memberId: id, metadata: {}, presence: { name: id } },
  joinedAt: '2026-11-25T09:00:00.000Z',
  lastSeenAt: '2026-11-25T09:00:00.000Z',
  actor: { kind: 'user', userId: id, name: id },
  ...{ state: 'active', self: id === 'u_me', verified: true, conflict: false },
});

const metadata = (values: Record<string, unknown>) => ({
  ...{ room: 'r', kind: 'room' as const, metadata: values, updatedAt: null },
  ...{ updatedBy: 'u_me', version: 'a' },
});

const out = new ParlorError({ code: 'FORBIDDEN', message: 'a host changed the key', recoverable: false });

/** A peer of a private room, whose feed is the test's to write. */
class Peer {
  subscriber: Subscriber | null = null;
  readonly asked: string[] = [];
  isOut = false;
  #seq = 0;

  says(...events: FeedEvent[]) {
    this.subscriber?.batch({ seq: ++this.#seq, events, updates: [] });
  }

  #answer<T>(what: string, answer: T): T {
    this.asked.push(what);
    if (this.isOut) throw out;
    return answer;
  }

  get backend(): Backend {
    return {
      createRoom: async () => this.#answer('create', { private: true }),
      subscribe: async (_: string, subscriber: Subscriber) => {
        this.asked.push('subscribe');
        this.subscriber = subscriber;
        return () => (this.subscriber = null);
      },
      join: async () => this.#answer('join', member('u_me')),
      presence: async () => this.#answer('presence', undefined),
      access: async () => this.#answer('access', null),
      setMetadata: async () => this.#answer('setMetadata', metadata({})),
      leave: async () => this.#answer('leave', undefined),
    } as unknown as Backend;
  }
}

let peer: Peer;
let notes: Notes;
let session: RoomSession;

async function entered(who: Access, locked = false) {
  const done = session.enter();
  await vi.waitFor(() => expect(peer.subscriber).not.toBeNull());
  const members = [member('u_a'), member('u_b')];
  const settings = metadata(locked ? { locked, title: 'Plan' } : { title: 'Plan' });
  peer.says({
    ...{ type: 'snapshot', room: 'r', members, watching: 0, paceMs: 34, complete: true, at: 0 },
    ...{ metadata: settings, access: who },
  });
  await done;
  peer.says({ type: 'joined', member: member('u_me') });
}

const shown = () => notes.shown.map((note) => note.text);

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  peer = new Peer();
  notes = new Notes();
  session = new RoomSession(peer.backend, crypto.randomUUID(), () => ({ userId: 'u_me', name: 'Me' }) as Status, notes);
});
afterEach(async () => {
  await session.leave();
  vi.useRealTimers();
});

describe('who may do what', () => {
  it('is everything for everybody where there is no access, unless the room is a private one', () => {
    expect([standingOf(null, false, 'u_me'), standingOf(null, true, 'u_me')]).toEqual(['open', 'member']);
  });

  it.each([
    ['the creator over a member', 'u_me', {}, { nameHost: true, strike: true, putOut: true }],
    ['the creator over a host', 'u_me', { host: true }, { nameHost: true, strike: true, putOut: true }],
    ['the creator over somebody who is out', 'u_me', { inside: false }, { nameHost: false, strike: true, putOut: false }],
    ['a host over a member', 'u_a', {}, { nameHost: false, strike: true, putOut: true }],
    ['a host over a host', 'u_a', { host: true }, { nameHost: false, strike: false, putOut: false }],
  ])('%s', (_, creator, other, powers) => {
    const who = access(creator, [keyholder('u_b', other), ...(creator === 'u_me' ? [] : [keyholder('u_me', { host: true })])]);
    expect(powersOver(who, 'u_me', 'u_b')).toEqual(powers);
  });

  it('is nothing over oneself, over who made the room, and of a member', () => {
    const who = access('u_a', [keyholder('u_me', { host: true }), keyholder('u_b')]);
    const none = { nameHost: false, strike: false, putOut: false };
    expect(powersOver(who, 'u_me', 'u_me')).toEqual(none);
    expect(powersOver(who, 'u_me', 'u_a')).toEqual(none);
    expect(powersOver(who, 'u_b', 'u_me')).toEqual(none);
    expect(powersOver(null, 'u_me', 'u_b')).toEqual(none);
  });
});

describe('a locked private room', () => {
  it('takes no change of a member, and says why without asking the peer', async () => {
    await entered(access('u_a', [keyholder('u_me')]), true);
    expect([session.settings.fixed, session.settings.mayLock]).toEqual([true, false]);
    await session.settings.setText('title', 'Mine');
    await session.settings.change({ metadata: { locked: false } });
    expect(peer.asked).not.toContain('setMetadata');
    expect(shown()).toEqual(['A host has locked this room. Only hosts can change it now.']);
  });

  it('takes every change of a host', async () => {
    await entered(access('u_a', [keyholder('u_me', { host: true })]), true);
    expect([session.settings.fixed, session.settings.mayLock]).toEqual([false, true]);
    await session.settings.setText('title', 'Ours');
    expect(peer.asked).toContain('setMetadata');
  });

  it('is locked by no member', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    expect(session.settings.fixed).toBe(false);
    await session.settings.change({ metadata: { locked: true } });
    expect([peer.asked.includes('setMetadata'), shown()]).toEqual([false, ['Only hosts can lock this room.']]);
  });

  it('becomes free for who is named a host', async () => {
    await entered(access('u_a', [keyholder('u_me')]), true);
    peer.says({ type: 'access', access: access('u_a', [keyholder('u_me', { host: true })]) });
    expect(session.settings.fixed).toBe(false);
  });
});

describe('a change of access', () => {
  it('is told once for all its parts: who changed the key, and who is out', async () => {
    const before = access('u_a', [keyholder('u_me'), keyholder('u_b')]);
    await entered(before);
    const struck = keyholder('u_b', { voided: true });
    peer.says({ type: 'access', access: access('u_a', [keyholder('u_me'), struck]) });
    peer.says(
      {
        type: 'access',
        access: access('u_a', [keyholder('u_me'), { ...struck, inside: false }], { epoch: 1, rekeyedBy: 'u_a' }),
      },
      { type: 'left', member: member('u_b'), reason: 'excluded' },
    );
    expect(session.people.find((person) => person.userId === 'u_b')).toMatchObject({ state: 'left', putOut: true });
    await vi.advanceTimersByTimeAsync(500);
    expect(shown()).toEqual(['u_a changed the key; u_b is out', 'What u_b wrote was struck']);
    // That they left is not told once more.
    await vi.advanceTimersByTimeAsync(30_000);
    expect(notes.said).not.toMatch(/left/);
  });

  it('is told to whom it happens, and by whom', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    peer.says({
      type: 'access',
      access: access('u_a', [keyholder('u_me', { host: true })], { epoch: 1, rekeyedBy: 'u_me' }),
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(shown()).toEqual(['You changed the key', 'You are a host now']);
  });

  it('says nothing of what was before one came in', async () => {
    await entered(access('u_a', [keyholder('u_b', { inside: false })], { epoch: 3, rekeyedBy: 'u_a' }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown()).toEqual([]);
  });

  it('names those who are not here as they were called', async () => {
    await entered(access('u_a', [keyholder('u_gone', { name: 'Ada' })]));
    expect(session.nameOf('u_gone')).toBe('Ada');
  });
});

describe('who is put out', () => {
  const isQuiet = async () => {
    const asked = peer.asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peer.asked.slice(asked)).toEqual([]);
    expect([session.phase, peer.subscriber]).toEqual(['out', null]);
    await session.leave();
    expect(peer.asked.slice(asked)).toEqual([]);
  };

  it('sees that, and asks the peer nothing any more', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    notes.show('u_a renamed this room', { label: 'Undo', run: () => {} });
    peer.isOut = true;
    peer.says({ type: 'left', member: member('u_me'), reason: 'excluded' });
    expect(shown()).toEqual([]);
    session.own.setStatus('busy');
    await isQuiet();
  });

  it('shows nothing that comes after', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    const { subscriber } = peer;
    peer.says({ type: 'left', member: member('u_me'), reason: 'excluded' });
    const changed = { type: 'metadata' as const, metadata: metadata({ title: 'Secret' }), changed: ['title'] };
    subscriber?.batch({ seq: 9, events: [changed], updates: [] });
    expect(session.settings.title).toBe('Plan');
  });

  it('hears of it also when only the feed ends', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    peer.isOut = true;
    peer.subscriber?.link?.(false);
    await vi.waitFor(() => expect(session.phase).toBe('out'));
    expect(peer.asked.at(-1)).toBe('access');
    await isQuiet();
  });

  it.each(['presence', 'join'] as const)('hears of it also from the answer to a %s', async (call) => {
    await entered(access('u_a', [keyholder('u_me')]));
    peer.isOut = true;
    if (call === 'presence') session.own.setStatus('busy');
    else peer.says({ type: 'left', member: member('u_me'), reason: 'left' });
    await vi.waitFor(() => expect(session.phase).toBe('out'));
    expect(peer.asked.at(-1)).toBe(call);
    await isQuiet();
  });

  it('comes back to the same words', async () => {
    peer.isOut = true;
    await session.enter();
    expect([session.phase, session.error]).toEqual(['out', null]);
    await isQuiet();
  });

  it('stays when its feed ends for another reason', async () => {
    await entered(access('u_a', [keyholder('u_me')]));
    peer.subscriber?.link?.(false);
    await vi.waitFor(() => expect(peer.asked.at(-1)).toBe('access'));
    expect([session.phase, peer.subscriber === null]).toEqual(['in', false]);
  });
});
