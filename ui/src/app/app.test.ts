import {
  ParlorError,
  type Backend,
  type Batch,
  type Cloned,
  type Join,
  type RoomSummary,
  type Share,
  type Status,
  type TicketInfo,
} from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, sentenceOf } from './app.svelte';

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

const info: TicketInfo = { room: 'plan', private: true, createdBy: 'u_maker', invitedBy: 'u_maker', addresses: [] };
const damaged = new ParlorError({ code: 'INVALID_TICKET', message: 'the ticket is damaged', recoverable: false });

/** A peer that knows one ticket, and writes down what it was asked in order. */
class Peer {
  readonly asked: string[] = [];
  readonly joins: Join[] = [];
  readonly private = new Set<string>();
  named = true;
  refusal: ParlorError | null = null;
  share: Share | null = null;
  answer: Promise<void> = Promise.resolve();
  status: Status = status;

  get backend(): Backend {
    return {
      kind: 'web',
      status: async () => ({ ...this.status, named: this.named }),
      newIdentity: async () => {
        this.asked.push('become somebody new');
        this.status = { ...this.status, userId: 'u_new', sessionId: 's2', cloned: null };
        return this.status;
      },
      setProfile: async () => status,
      createRoom: async (room: string, options?: { private?: boolean }) => {
        this.asked.push(`create ${room}${options?.private ? ' private' : ''}`);
        if (options?.private) this.private.add(room);
        return { room, private: this.private.has(room) } as RoomSummary;
      },
      readTicket: async (ticket: string) => {
        this.asked.push(`read ${ticket}`);
        if (ticket !== 'parlor:good' && ticket !== 'parlor://join/good') throw damaged;
        return info;
      },
      join: async (room: string, args: Join) => {
        this.asked.push(`join ${room}${args.ticket === undefined ? '' : ` with ${args.ticket}`}`);
        this.joins.push(args);
        await this.answer;
        if (this.refusal !== null) throw this.refusal;
        if (args.ticket !== undefined) this.private.add(room);
        return { memberId: this.status.userId };
      },
      subscribe: async (room: string, subscriber: { batch(batch: Batch): void }) => {
        this.asked.push(`subscribe ${room}`);
        const metadata = { room, kind: 'room' as const, metadata: {}, updatedAt: null, updatedBy: null, version: 'a' };
        const events = [{ type: 'snapshot' as const, room, members: [], metadata, watching: 0, paceMs: 34, complete: true, at: 0 }];
        queueMicrotask(() => subscriber.batch({ seq: 1, updates: [], events }));
        return () => {};
      },
      leave: async (room: string) => void this.asked.push(`leave ${room}`),
      share: async () => this.share,
      changeShare: async (room: string, { on }: { on: boolean }) => {
        this.asked.push(`share ${room} ${on}`);
        return null;
      },
      presence: async () => {},
    } as unknown as Backend;
  }
}

let peer: Peer;
let app: App;
const session = () => (app.screen.name === 'room' ? app.screen.session : null);

async function opened(wanted: string | null = null) {
  app = new App(peer.backend, wanted);
  await app.start();
}

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal('document', { documentElement: { dataset: {} }, hidden: true });
  peer = new Peer();
});
afterEach(async () => {
  await session()?.leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a ticket', () => {
  it('is read and asked about, and nothing is joined before the answer', async () => {
    await opened();
    await app.ask('parlor:good');
    expect(app.question?.info).toEqual(info);
    expect(app.screen.name).toBe('home');
    expect(peer.asked).toEqual(['read parlor:good']);
  });

  it('is used before the room is opened by its name, whole and once', async () => {
    await opened();
    await app.ask('parlor:good');
    await app.accept();
    expect(peer.asked.slice(1)).toEqual(['join plan with parlor:good', 'create plan', 'subscribe plan']);
    expect(peer.joins[0]?.presence).toMatchObject({ name: 'Quiet Otter', color: '#286fe3', status: 'online' });
    expect(app.question).toBeNull();
    expect(session()?.phase).toBe('in');
    expect(session()?.isPrivate).toBe(true);
  });

  it('that is damaged says so where it was given', async () => {
    await opened();
    await expect(app.ask('parlor:bad')).rejects.toBe(damaged);
    expect(app.question).toBeNull();
    expect(sentenceOf(damaged)).toBe('The ticket is damaged.');
  });

  it('that is refused leaves the question, and whatever the person is in, as it was', async () => {
    await opened();
    await app.ask('parlor:good');
    peer.refusal = new ParlorError({ code: 'INVALID_TICKET', message: 'you are in another room', recoverable: false });
    await expect(app.accept()).rejects.toBe(peer.refusal);
    expect(app.question).not.toBeNull();
    expect(app.screen.name).toBe('home');
    expect(peer.asked).not.toContain('leave plan');
  });

  it('whose question is closed while it is used is left again', async () => {
    await opened();
    await app.ask('parlor:good');
    let answer = () => {};
    peer.answer = new Promise((resolve) => (answer = resolve));
    const accepted = app.accept();
    if (app.question !== null) app.refuse(app.question);
    answer();
    await accepted;
    expect(app.screen.name).toBe('home');
    expect(peer.asked).toContain('leave plan');
  });

  it('of the room that is shown is for the peer to judge, and the room stays', async () => {
    await opened();
    await app.enter('plan');
    const before = session();
    await app.ask('parlor:good');
    await app.accept();
    expect(session()).toBe(before);
    expect(peer.joins.at(-1)).toEqual({ ticket: 'parlor:good' });
    expect(app.question).toBeNull();
  });

  it('from outside asks, wherever the person is', async () => {
    await opened();
    app.asked('parlor://join/good');
    await vi.waitFor(() => expect(app.question?.ticket).toBe('parlor://join/good'));
    expect(app.screen.name).toBe('home');
    app.asked('parlor:bad');
    await vi.waitFor(() => expect(app.notes.shown.map((note) => note.text)).toEqual(['The ticket is damaged.']));
  });

  it('from outside waits until the person has a name', async () => {
    peer.named = false;
    await opened();
    app.asked('parlor:good');
    expect(app.screen.name).toBe('firstRun');
    expect(peer.asked).toEqual([]);
    await app.goOn();
    expect(app.question?.ticket).toBe('parlor:good');
    expect(app.screen.name).toBe('home');
    expect(app.wanted).toBeNull();
  });

  it('that the address names is asked about at the start', async () => {
    await opened('parlor:good');
    expect(app.question?.ticket).toBe('parlor:good');
    expect(peer.asked).toEqual(['read parlor:good']);
  });
});

describe('a room that is made', () => {
  it('is private before it is entered', async () => {
    await opened();
    await app.make('plan', 'private');
    expect(peer.asked.slice(0, 2)).toEqual(['create plan private', 'create plan']);
    expect(session()?.isPrivate).toBe(true);
  });

  it('is made beside an open one to invite into, and invites nobody when it cannot be entered', async () => {
    await opened();
    await app.makeToInvite('harbour');
    expect(peer.asked[0]).toBe('create harbour (private) private');
    expect([session()?.phase, app.inviting]).toEqual(['in', true]);
    app.inviting = false;
    peer.refusal = damaged;
    await app.makeToInvite('quay');
    expect([session()?.phase, app.inviting]).toEqual(['failed', false]);
  });

  it('is open otherwise', async () => {
    await opened();
    await app.make('hall', 'open');
    expect(peer.asked[0]).toBe('create hall');
    expect(session()?.isPrivate).toBe(false);
  });

  // N8
  it('lets in again who was put out of the room that is shown', async () => {
    await opened();
    peer.private.add('plan');
    peer.refusal = new ParlorError({ code: 'FORBIDDEN', message: 'a host changed the key', recoverable: false });
    await app.enter('plan');
    const before = session();
    expect(before?.phase).toBe('out');
    peer.refusal = null;
    await app.ask('parlor:good');
    await app.accept();
    expect([session()?.phase, session() === before, app.question]).toEqual(['in', false, null]);
    expect(peer.joins.at(-1)?.presence).toMatchObject({ name: 'Quiet Otter' });
  });
});

// M8
describe('a copied profile', () => {
  const cloned: Cloned = { since: '2026-11-28T10:00:00.000Z', readOnly: true, others: ['b'] };
  const learned = () => vi.advanceTimersByTimeAsync(3_000);

  beforeEach(() => vi.stubGlobal('document', { documentElement: { dataset: {} }, hidden: false }));

  it('is told by the status, and said to be over', async () => {
    await opened();
    peer.status = { ...status, cloned };
    await learned();
    expect(app.status?.cloned).toEqual(cloned);
    peer.status = status;
    await learned();
    expect(app.status?.cloned).toBeNull();
    await vi.waitFor(() => expect(app.notes.said).toBe('No copy of your profile is open any more.'));
  });

  it('is left by one call, and the room is entered again as somebody new', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    peer.status = { ...status, cloned };
    await opened();
    await app.enter('plan');
    const before = session();
    peer.asked.length = 0;
    await app.becomeSomebodyNew();
    await vi.waitFor(() => expect(session()?.phase).toBe('in'));
    expect(session()).not.toBe(before);
    expect(session()?.room).toBe('plan');
    expect(app.status?.userId).toBe('u_new');
    expect(peer.asked).toEqual(['become somebody new', 'create plan', 'subscribe plan', 'join plan']);
    // What was before is over for the peer, and must not take away who is there now.
    await before?.leave();
    expect(peer.asked).not.toContain('leave plan');
  });

  it('that makes the window read-only is looked on from, and ends by itself with another session', async () => {
    peer.status = { ...status, cloned };
    peer.refusal = new ParlorError({ code: 'IDENTITY_CLONED', message: 'read-only', recoverable: true });
    await opened();
    await app.enter('plan');
    const before = session();
    expect([before?.phase, before?.me]).toEqual(['in', null]);
    peer.refusal = null;
    peer.status = { ...status, sessionId: 's2' };
    await learned();
    await vi.waitFor(() => expect(session()?.phase).toBe('in'));
    expect(session()).not.toBe(before);
    expect(peer.asked.slice(-3)).toEqual(['create plan', 'subscribe plan', 'join plan']);
  });

  it('whose way out fails leaves everything as it was', async () => {
    peer.status = { ...status, cloned };
    await opened();
    await app.enter('plan');
    const before = session();
    const failed = new ParlorError({ code: 'STORAGE_FAILED', message: 'the disk is full', recoverable: true });
    vi.spyOn(app.backend, 'newIdentity').mockRejectedValueOnce(failed);
    await expect(app.becomeSomebodyNew()).rejects.toBe(failed);
    expect([session(), app.status?.cloned]).toEqual([before, cloned]);
  });
});

describe('a peer that hangs', () => {
  it('is told in the room, and so is that it is back', async () => {
    await opened();
    await app.enter('plan');
    vi.stubGlobal('document', { documentElement: { dataset: {} }, hidden: false });
    let goOn = () => {};
    const hangs = new Promise<void>((resolve) => (goOn = resolve));
    const backend = app.backend as { status: () => Promise<Status> };
    const status = backend.status;
    backend.status = async () => (await hangs, status());
    await vi.advanceTimersByTimeAsync(3_000 + 3_000 + 2_001);
    expect([session()?.connection.phase, session()?.connection.why]).toEqual(['amber', 'peer']);
    goOn();
    await vi.advanceTimersByTimeAsync(10);
    expect(session()?.connection.phase).toBe('back');
  });
});

describe('a room that is shared to browsers', () => {
  it('is told of when it is left, with the way to end that', async () => {
    await opened('plan');
    await app.leave();
    expect(app.notes.shown).toEqual([]);
    peer.share = { room: 'plan' } as Share;
    await app.enter('plan');
    await app.leave();
    const [note] = app.notes.shown;
    expect(note?.text).toMatch(/plan.*still shared to browsers/);
    note?.action?.run();
    expect(peer.asked).toContain('share plan false');
  });
});

describe('a guest', () => {
  let over: () => void = () => {};
  const guest = (named: boolean) =>
    ({
      ...peer.backend,
      kind: 'guest',
      status: async () => ({ ...status, named, openRoom: 'deck 3', guest: { host: 'Quiet Otter', encrypted: false } }),
      onOver: (tell: () => void) => ((over = tell), () => {}),
    }) as unknown as Backend;

  it('says who they are first, and then has the one room', async () => {
    app = new App(guest(false), null);
    await app.start();
    expect(app.screen.name).toBe('firstRun');
    await app.goOn('start');
    expect(session()?.room).toBe('deck 3');
    expect(session()?.isGuest).toBe(true);
  });

  it('whose room is called like a ticket is in that room', async () => {
    app = new App({ ...guest(true), status: async () => ({ ...status, named: true, openRoom: 'parlor:good' }) }, null);
    await app.start();
    expect([session()?.room, app.question]).toEqual(['parlor:good', null]);
  });

  it('who leaves has one way on, which is back', async () => {
    app = new App(guest(true), null);
    await app.start();
    await app.leave();
    expect(app.screen).toEqual({ name: 'over', why: 'left' });
    expect(peer.asked).toContain('leave deck 3');
    await app.start();
    expect(session()?.room).toBe('deck 3');
  });

  it('is told when the room is shared no more, and asks nothing then', async () => {
    app = new App(guest(true), null);
    await app.start();
    over();
    expect(app.screen).toEqual({ name: 'over', why: 'ended' });
    const before = peer.asked.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(peer.asked.length).toBe(before);
  });

  it('who does not reach the room for long is told so, and may try again', async () => {
    vi.stubGlobal('document', { documentElement: { dataset: {} }, hidden: false });
    let there = true;
    const gone = new ParlorError({ code: 'NETWORK_UNAVAILABLE', message: 'gone', recoverable: true });
    const lost = () => new Promise<never>((_, reject) => setTimeout(() => reject(gone), 2_000));
    const way = guest(true);
    app = new App({ ...way, status: async () => (there ? way.status() : lost()) }, null);
    await app.start();
    there = false;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(app.screen.name).toBe('room');
    there = true;
    await vi.advanceTimersByTimeAsync(6_000);
    there = false;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(app.screen.name).toBe('room');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(app.screen).toEqual({ name: 'over', why: 'away' });
    there = true;
    await app.start();
    expect(session()?.room).toBe('deck 3');
  });

  it('who is refused at once is told so soon, unless it is their own network that is away', async () => {
    vi.stubGlobal('document', { documentElement: { dataset: {} }, hidden: false });
    const gone = new ParlorError({ code: 'NETWORK_UNAVAILABLE', message: 'refused', recoverable: true });
    for (const [onLine, screen] of [[false, 'room'], [true, 'over']] as const) {
      vi.stubGlobal('navigator', { onLine, languages: [] });
      let there = true;
      const way = guest(true);
      app = new App({ ...way, status: async () => (there ? way.status() : Promise.reject(gone)) }, null);
      await app.start();
      there = false;
      await vi.advanceTimersByTimeAsync(7_000);
      expect(app.screen.name).toBe(screen);
      await app.leave();
    }
  });
});
