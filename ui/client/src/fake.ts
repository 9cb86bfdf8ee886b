/**
 * A peer that is not there, for working on the user interface and for tests of it: the same interface, seeded people,
 * and feeds that wait for their acknowledgement as real ones do. Never part of a build that people get.
 */
import type { Backend, Subscriber, WindowStatus } from './backend';
import { ParlorError } from './errors';
import { decided, fakeAccess, mayWrite, refuse, type FakeStanding } from './fake/access';
import { fakeShare, fakeTicket, readFakeTicket } from './fake/ticket';
import { FakePerson, fakeColour, fakeName, seeded } from './fake/people';
import { fakeDiagnostics } from './fake/diagnostics';
import { fakeReport } from './fake/network';
import { FakeShared } from './fake/shared';
import type { Cloned } from './generated/Cloned';
import type { Access } from './generated/Access';
import type { AccessChange } from './generated/AccessChange';
import type { FeedEvent } from './generated/FeedEvent';
import type { Join } from './generated/Join';
import type { Member } from './generated/Member';
import type { MetadataChange } from './generated/MetadataChange';
import type { NetworkReport } from './generated/NetworkReport';
import type { NetworkState } from './generated/NetworkState';
import type { PresenceChange } from './generated/PresenceChange';
import type { RoomMetadata } from './generated/RoomMetadata';
import type { RoomSummary } from './generated/RoomSummary';
import type { Share } from './generated/Share';
import type { Status } from './generated/Status';
import type { Theme } from './generated/Theme';
import type { Update } from './generated/Update';

export interface FakeOptions {
  readonly people?: number;
  readonly rooms?: number;
  readonly named?: boolean;
  readonly network?: NetworkState;
  readonly seed?: number;
  readonly locked?: boolean;
  readonly openRoom?: string | null;
  /** The people come and go, fall silent and return. */
  readonly lively?: boolean;
  readonly theme?: Theme;
  /** A copy of the profile runs elsewhere. */
  readonly cloned?: Cloned | null;
  /** How far the clocks of the others are ahead, in milliseconds. */
  readonly clockAheadMs?: number | null;
  /** Peers of a newer version. */
  readonly newer?: number;
  /** What looking at the network finds. */
  readonly report?: NetworkReport;
  /** As whom this person is in private rooms. `out`: a host puts them out after two seconds. */
  readonly standing?: FakeStanding | 'out';
}

const PRIVATE: ReadonlySet<string> = new Set(['Night watch']);
const ROOMS = ['Incident 4711', 'standup', 'Harbour plan', 'lab-2', 'Night watch', 'Workshop B', 'ideas', 'Deck 3'];

export function fakeBackend(options: FakeOptions = {}): Backend {
  const random = seeded(options.seed ?? 7);
  const people = Array.from({ length: options.people ?? 5 }, (_, index) => new FakePerson(index, random));
  let status: WindowStatus = {
    version: '0.1.0',
    profile: 'default',
    userId: 'u_self',
    name: 'Quiet Otter',
    color: '#286fe3',
    theme: options.theme ?? 'system',
    named: options.named ?? true,
    peerId: '12D3KooWFake',
    sessionId: 'f'.repeat(64),
    listen: ['/ip4/192.168.1.20/tcp/4747'],
    network: options.network ?? 'online',
    links: people.length,
    clockAheadMs: options.clockAheadMs ?? null,
    newer: options.newer ?? 0,
    cloned: options.cloned ?? null,
    notices: [],
    openRoom: options.openRoom ?? null,
  };
  const opened = new Map<string, FakeRoom>();
  const rooms: RoomSummary[] = ROOMS.slice(0, options.rooms ?? 5).map((room, i) => ({
    room,
    kind: 'room',
    members: [6, 3, 1, 12, 0, 0, 0, 2][i] ?? 0,
    joined: false,
    private: PRIVATE.has(room),
    title: [null, 'Daily stand-up', null, 'Bench two: calibration', null, null, null, null][i] ?? null,
    faces: Array.from({ length: Math.min(5, [6, 3, 1, 12, 0, 0, 0, 2][i] ?? 0) }, (_, face) => ({
      name: fakeName(i * 3 + face),
      color: fakeColour(i * 3 + face),
    })),
    near: i < 4 || i === 7,
    lastOpenedAt: i % 2 === 0 || i > 3 ? new Date(Date.now() - i * 7_300_000 - 500_000).toISOString() : null,
  }));
  const room = (name: string) => {
    if (['', '.', '..'].includes(name.trim()) || Array.from(name).length > 128)
      throw new ParlorError({ code: 'INVALID_ROOM_ID', message: 'bad room', recoverable: false });
    let known = opened.get(name);
    if (known === undefined) {
      const isPrivate = PRIVATE.has(name) || (rooms.find((other) => other.room === name)?.private ?? false);
      opened.set(name, (known = new FakeRoom(name, people, options, isPrivate ? status : null)));
    }
    return known;
  };

  const shares = new Map<string, Share>();

  return {
    kind: 'fake',
    rooms: async () => rooms.map((known) => ({ ...known })),
    async createRoom(name, options) {
      const known = rooms.find((other) => other.room === name);
      const made: RoomSummary = known ?? {
        room: name,
        kind: 'room',
        members: 0,
        joined: false,
        private: options?.private || PRIVATE.has(name),
        title: null,
        faces: [],
        near: false,
        lastOpenedAt: null,
      };
      if (known === undefined) rooms.push(made);
      room(name).look();
      made.lastOpenedAt = new Date().toISOString();
      return made;
    },
    async forgetRoom(name) {
      const place = rooms.findIndex((known) => known.room === name);
      if (place >= 0) rooms.splice(place, 1);
      return place >= 0;
    },
    async join(name, args) {
      if (args.ticket !== undefined) {
        const info = readFakeTicket(args.ticket);
        room(info.room).look(info.epoch);
        await this.createRoom(info.room, { private: info.private });
      }
      return room(name).look().join(args, status);
    },
    presence: async (name, args) => room(name).look().presence(args),
    leave: async (name) => room(name).leave(),
    members: async (name) => {
      const { rows, watching } = room(name);
      return { members: rows, nextCursor: null, total: rows.length, complete: true, watching };
    },
    metadata: async (name) => room(name).metadata,
    setMetadata: async (name, args) => room(name).change(args, status.userId),
    board: async (name) => room(name).look().shared.board(),
    setBoard: async (name, change) => room(name).joined().shared.change(change, status.userId),
    history: async (name, query = {}) => room(name).look().shared.history(query),
    publish: async (name, args) =>
      room(name).joined().shared.publish(args, { userId: status.userId, name: status.name }),
    access: async (name) => room(name).look().access,
    changeAccess: async (name, args) => room(name).look().decide(args, status.userId),
    ticket: async (name) => {
      const { access } = room(name).look();
      return fakeTicket(name, access !== null, access?.epoch);
    },
    readTicket: async (ticket) => readFakeTicket(ticket),
    share: async (name) => shares.get(name) ?? null,
    changeShare: async (name, { on, putOut }) => {
      const share = shares.get(name) ?? fakeShare(name);
      if (on !== true) shares.delete(name);
      else shares.set(name, { ...share, guests: share.guests.filter((guest) => guest.userId !== putOut) });
      return shares.get(name) ?? null;
    },
    peers: async () =>
      people.slice(0, 4).map((person) => ({
        peerId: `12D3KooW${person.memberId}`,
        sessionId: String(person.index).padStart(64, '0'),
        addresses: [`/ip4/192.168.1.${30 + person.index}/tcp/4747`],
        direction: person.index % 2 === 0 ? 'in' : 'out',
        transport: 'tcp',
        rttMs: 0.6 + person.index * 0.4,
        clockAheadMs: person.index === 1 ? (options.clockAheadMs ?? 3) : 2,
        version: '0.1.0',
        speaks: person.index < (options.newer ?? 0) ? 'newer' : 'same',
        rooms: [],
        source: 'mdns',
        name: fakeName(person.index),
        watchdog: 0,
      })),
    checkNetwork: async () => options.report ?? fakeReport(),
    diagnostics: async () => fakeDiagnostics(),
    async dial(addr) {
      if (!/\d/.test(addr))
        throw new ParlorError({
          code: 'NETWORK_UNAVAILABLE',
          message: `Nobody answers at ${addr}.`,
          recoverable: true,
        });
      return {
        peerId: '12D3KooWDialled',
        sessionId: '',
        addresses: [addr],
        direction: 'out',
        transport: 'tcp',
        rttMs: null,
        clockAheadMs: null,
        version: null,
        speaks: 'same',
        rooms: [],
        source: 'dialled',
        name: 'Keen Ibex',
        watchdog: 0,
      };
    },
    status: async () => status,
    async setProfile(change) {
      status = { ...status, ...change, named: true };
      return status;
    },
    async newIdentity() {
      opened.forEach((known) => known.leave());
      status = { ...status, userId: 'u_new', sessionId: 'e'.repeat(64), cloned: null };
      return status;
    },
    subscribe: async (name, subscriber) => room(name).look().subscribe(subscriber),
  };
}

class FakeRoom {
  rows: Member[];
  metadata: RoomMetadata;
  watching = 2;
  access: Access | null = null;
  readonly shared: FakeShared;
  #out = false;
  #self: Member | null = null;
  #events: FeedEvent[] = [];
  readonly #updates = new Map<string, Update>();
  #tick = 0;
  #seq = 0;
  #subscriber: Subscriber | null = null;

  constructor(
    readonly name: string,
    private readonly people: FakePerson[],
    private readonly options: FakeOptions,
    self: Status | null,
  ) {
    this.rows = people.map((person) => person.member(name, Date.now()));
    const writers = this.rows.map((row) => ({ userId: row.actor.userId, name: row.actor.name }));
    this.shared = new FakeShared(name, writers, (event) => this.#events.push(event));
    const title =
      people.length > 0
        ? { title: 'Harbour outage', mode: 'war_room', bridge: 'Radio channel 12', runbook: 'Page 7' }
        : {};
    this.metadata = {
      room: name,
      kind: 'room',
      metadata: { ...title, ...(options.locked ? { locked: true } : {}) },
      updatedAt: people.length > 0 ? new Date(Date.now() - 240_000).toISOString() : null,
      updatedBy: this.rows[0]?.actor.userId ?? null,
      version: '0',
    };
    if (self === null) return;
    const others = this.rows
      .filter((row) => row.actor.kind === 'user')
      .map((row) => ({ userId: row.actor.userId, name: row.actor.name }));
    const standing = options.standing === 'out' ? 'member' : (options.standing ?? 'creator');
    this.access = { ...fakeAccess(name, self, others, standing), locked: options.locked ?? false };
  }

  /** The room, unless this person was put out of it. */
  look(ticket?: number): this {
    if (ticket !== undefined && this.#out) {
      if (ticket < (this.access?.epoch ?? 0))
        refuse('INVALID_TICKET', "the room's key was changed after this ticket was given");
      this.#letIn();
    }
    if (this.#out) refuse('FORBIDDEN', `a host of "${this.name}" changed its key, and you did not get the new one`);
    return this;
  }

  /** The room, for who is in it. */
  joined(): this {
    if (this.look().#self === null) refuse('NOT_JOINED', 'not a member of this room; join first');
    return this;
  }

  #letIn(): void {
    this.#out = false;
    if (this.access === null) return;
    const people = this.access.people.map((one) => (one.userId === 'u_self' ? { ...one, inside: true } : one));
    this.access = { ...this.access, people };
  }

  decide(change: AccessChange, by: string): Access {
    const access = decided(this.access ?? refuse('FORBIDDEN', 'an open room has no hosts'), change, by);
    this.access = access;
    this.#events.push({ type: 'access', access });
    for (const row of this.rows.filter((one) => change.exclude?.includes(one.actor.userId))) {
      this.rows = this.rows.filter((one) => one !== row);
      this.#events.push({ type: 'left', member: row, reason: 'excluded' });
      if (row.self) [this.#out, this.#self] = [true, null];
    }
    return access;
  }

  join({ presence = {} }: Join, status: Status): Member {
    const now = new Date().toISOString();
    const joined = this.#self === null;
    this.#self = {
      room: this.name,
      kind: 'room',
      memberId: status.userId,
      joinedAt: this.#self?.joinedAt ?? now,
      lastSeenAt: now,
      metadata: {},
      presence,
      actor: { kind: 'user', userId: status.userId, name: status.name },
      state: 'active',
      self: true,
      verified: true,
      conflict: false,
    };
    this.rows = [...this.rows.filter((row) => !row.self), this.#self];
    if (joined) this.#events.push({ type: 'joined', member: this.#self });
    return this.#self;
  }

  presence({ presence, unset = [] }: PresenceChange): void {
    if (this.#self === null) throw new ParlorError({ code: 'NOT_JOINED', message: 'Join first.', recoverable: true });
    this.#update(this.#self, presence, unset);
  }

  leave() {
    const left = this.#self !== null;
    this.rows = this.rows.filter((row) => !row.self);
    this.#self = null;
    return { room: this.name, kind: 'room' as const, memberId: 'u_self', left, leftAt: new Date().toISOString() };
  }

  change({ metadata: values = {}, unset = [], ifVersion }: MetadataChange, by: string): RoomMetadata {
    const { version } = this.metadata;
    if (ifVersion !== undefined && ifVersion !== version) {
      refuse('PRECONDITION_FAILED', 'the settings are not of this version any more; read them again');
    }
    const keys = [...Object.keys(values), ...unset];
    if (this.access !== null) mayWrite(this.access, keys, by);
    const metadata: Record<string, unknown> = { ...this.metadata.metadata, ...values };
    for (const key of unset) delete metadata[key];
    const written = { updatedAt: new Date().toISOString(), updatedBy: by, version: String(Number(version) + 1) };
    this.metadata = { ...this.metadata, metadata, ...written };
    this.#events.push({ type: 'metadata', metadata: this.metadata, changed: keys });
    if (this.access !== null && keys.includes('locked')) {
      this.access = { ...this.access, locked: metadata['locked'] === true };
      this.#events.push({ type: 'access', access: this.access });
    }
    return this.metadata;
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscriber = subscriber;
    this.#updates.clear();
    this.#events = [
      {
        type: 'snapshot',
        room: this.name,
        members: this.rows,
        metadata: this.metadata,
        ...(this.access === null ? {} : { access: this.access }),
        watching: this.watching,
        paceMs: 34,
        complete: true,
        at: 0,
        more: this.shared.notes.size > 0,
      },
      { type: 'board', notes: [...this.shared.notes.values()], removed: [], rest: true },
    ];
    subscriber.link?.(true);
    const started = performance.now();
    const timer = setInterval(() => this.#step(performance.now() - started), 33);
    this.#pump(subscriber);
    return () => {
      clearInterval(timer);
      this.#subscriber = null;
    };
  }

  #step(t: number): void {
    this.#tick += 1;
    for (const person of this.people) {
      const row = this.rows.find((known) => known.memberId === person.memberId);
      if (row === undefined || row.state === 'stale') continue;
      const { presence, unset } = person.act(t, this.#tick);
      if (Object.keys(presence).length + unset.length > 0) this.#update(row, presence, unset);
    }
    if (this.options.lively) this.#live();
    if (this.options.standing === 'out' && this.#tick === 60 && this.#self !== null && this.access !== null)
      this.decide({ exclude: [this.#self.actor.userId] }, this.access.creator);
  }

  /** The third of them falls silent and returns; the last one leaves and comes back; the first one renames the room. */
  #live(): void {
    const beat = this.#tick % 600;
    const third = this.rows.find((row) => row.memberId === this.people[2]?.memberId);
    const last = this.people.at(-1);
    if (third && beat === 60) this.#events.push({ type: 'stale', member: this.#set({ ...third, state: 'stale' }) });
    if (third && beat === 400) this.#events.push({ type: 'active', member: this.#set({ ...third, state: 'active' }) });
    if (beat === 90) {
      const title = this.#tick > 600 ? 'Harbour outage' : 'Harbour: power is back';
      this.change({ metadata: { title } }, this.people[0]?.memberId ?? '');
    }
    const row = this.rows.find((known) => known.memberId === last?.memberId);
    if (row && beat === 120) {
      this.rows = this.rows.filter((known) => known !== row);
      this.#events.push({ type: 'left', member: row, reason: 'left' });
    }
    if (last && !row && beat === 580) {
      const back = { ...last.member(this.name, Date.now()), joinedAt: new Date().toISOString() };
      this.rows = [...this.rows, back];
      this.#events.push({ type: 'joined', member: back });
    }
  }

  #set(row: Member): Member {
    this.rows = this.rows.map((known) => (known.memberId === row.memberId ? row : known));
    return row;
  }

  #update(row: Member, presence: Record<string, unknown>, unset: string[]): void {
    const merged = { ...row.presence, ...presence };
    for (const key of unset) delete merged[key];
    this.#set({ ...row, presence: merged });
    if (row.self && this.#self !== null) this.#self = { ...this.#self, presence: merged };
    const waiting = this.#updates.get(row.memberId);
    const kept = { ...waiting?.presence, ...presence };
    for (const key of unset) delete kept[key];
    const gone = [...(waiting?.unset ?? []), ...unset].filter((key) => !(key in kept));
    this.#updates.set(row.memberId, {
      memberId: row.memberId,
      userId: row.actor.userId,
      presence: kept,
      unset: gone,
      lastSeenAt: new Date().toISOString(),
    });
  }

  /** One batch a frame at most, and none while the window is hidden: the frame is the acknowledgement. */
  #pump(subscriber: Subscriber): void {
    if (this.#subscriber !== subscriber) return;
    if (this.#events.length + this.#updates.size > 0) {
      const batch = { seq: ++this.#seq, events: this.#events.splice(0), updates: [...this.#updates.values()] };
      this.#updates.clear();
      subscriber.batch(batch);
    }
    requestAnimationFrame(() => this.#pump(subscriber));
  }
}
