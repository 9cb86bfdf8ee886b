/**
 * The sample room: its rows, its notes and what was said, and the feed of one window. It has no clock of its own and no
 * way to any network; when the window lets go of it, it is gone.
 */
import {
  ParlorError,
  type Batch,
  type BoardChange,
  type ErrorCode,
  type FeedEvent,
  type Join,
  type Member,
  type Message,
  type MetadataChange,
  type Note,
  type NoteChange,
  type PresenceChange,
  type Publish,
  type RoomMetadata,
  type Status,
  type Update,
} from 'parlor-client';
import { viewportOf } from '../domain/seen';
import type { Catalogue } from '../i18n';
import type { Part, SamplePerson } from './sample-person';

export type Words = Catalogue['sample'];

/** No room of a network is called like this: names have no control characters (design A8). */
export const SAMPLE_ROOM = '\u0001sample';

/** What was said long ago goes. */
const LOG_MAX = 200;
const PAPERS = ['yellow', 'green', 'blue', 'pink', 'orange'];
const PLACES = [
  [-430, -190],
  [-190, -190],
  [60, -190],
  [-430, 10],
  [-190, 10],
] as const;

export class SampleRoom {
  /** Milliseconds of the sample's own time. */
  now = 0;
  people: readonly SamplePerson[] = [];
  metadata: RoomMetadata;
  #rows: Member[] = [];
  readonly #notes = new Map<string, Note>();
  readonly #log: Message[] = [];
  readonly #keys = new Map<string, Message>();
  readonly #events: FeedEvent[] = [];
  readonly #updates = new Map<string, Update>();
  readonly #expiry = new Map<string, number>();
  readonly #turns = new Map<readonly string[], number>();
  #made = 0;
  #seq = 0;

  constructor(
    readonly words: Words,
    private readonly self: Pick<Status, 'userId' | 'name'>,
  ) {
    this.metadata = {
      room: SAMPLE_ROOM,
      kind: 'room',
      metadata: { title: words.roomTitle, mode: 'workshop' },
      updatedAt: this.#date(),
      updatedBy: null,
      version: '0',
    };
  }

  /** The people come in, and what they wrote before is there. */
  fill(people: readonly SamplePerson[]): void {
    this.people = people;
    this.metadata = { ...this.metadata, updatedBy: people[0]?.part.memberId ?? null };
    this.#rows = people.map(({ part, presence }, place) => this.#row(part.memberId, part.name, false, presence, place));
    this.words.notes.forEach((text, i) => {
      const [x, y] = PLACES[i] ?? [0, 0];
      const by = people[i % people.length]?.part.memberId ?? '';
      this.#write({ id: `sample-${i}`, x, y, z: i, text, color: PAPERS[i] ?? 'yellow' }, by);
    });
    const first = people[0];
    if (first !== undefined) this.say(this.nextOf(this.words.chat), first.part.memberId);
    this.#events.length = 0;
  }

  // What the window asks.

  join({ presence = {} }: Join): Member {
    const before = this.#own();
    const row = this.#row(this.self.userId, this.self.name, true, presence, this.people.length);
    this.#rows = [...this.#rows.filter((other) => !other.self), row];
    if (before === undefined) this.#events.push({ type: 'joined', member: row });
    return row;
  }

  presence({ presence = {}, unset = [], expire = {} }: PresenceChange): void {
    if (this.#own() === undefined) refuse('NOT_JOINED', 'not a member of this room; join first');
    for (const key of [...Object.keys(presence), ...unset]) this.#expiry.delete(key);
    for (const [key, wait] of Object.entries(expire)) this.#expiry.set(key, this.now + wait);
    this.tell(this.self.userId, presence, unset);
  }

  leave(): boolean {
    const was = this.#own() !== undefined;
    this.#rows = this.#rows.filter((row) => !row.self);
    return was;
  }

  change({ metadata = {}, unset = [], ifVersion }: MetadataChange): RoomMetadata {
    const { version } = this.metadata;
    if (ifVersion !== undefined && ifVersion !== version) {
      refuse('PRECONDITION_FAILED', 'the settings are not of this version any more; read them again');
    }
    const next: Record<string, unknown> = { ...this.metadata.metadata, ...metadata };
    for (const key of unset) delete next[key];
    const written = { updatedAt: this.#date(), updatedBy: this.self.userId, version: String(Number(version) + 1) };
    this.metadata = { ...this.metadata, metadata: next, ...written };
    this.#events.push({ type: 'metadata', metadata: this.metadata, changed: [...Object.keys(metadata), ...unset] });
    return this.metadata;
  }

  setBoard({ set = [], remove = [] }: BoardChange): Note[] {
    const notes = set.map((note) => this.#write(note, this.self.userId));
    const removed = remove.filter((id) => this.#notes.delete(id));
    this.#events.push({ type: 'board', notes, removed });
    return notes;
  }

  publish(args: Publish): Message {
    const known = args.idempotencyKey === undefined ? undefined : this.#keys.get(args.idempotencyKey);
    if (known !== undefined) return known;
    const message = this.#say(args, this.self.userId, this.self.name);
    if (args.idempotencyKey !== undefined) this.#keys.set(args.idempotencyKey, message);
    const view =
      typeof args.data === 'object' && args.data !== null ? viewportOf(args.data as Record<string, unknown>) : null;
    if (args.type === 'gather' && view !== null) for (const person of this.people) person.come(view);
    if (args.type === 'chat') this.people[0]?.answer();
    return message;
  }

  get members(): readonly Member[] {
    return this.#rows;
  }

  get notes(): readonly Note[] {
    return [...this.#notes.values()];
  }

  /** Newest first. */
  get log(): readonly Message[] {
    return this.#log;
  }

  snapshot(): FeedEvent[] {
    this.#events.length = 0;
    this.#updates.clear();
    const { metadata } = this;
    return [
      {
        type: 'snapshot',
        room: SAMPLE_ROOM,
        members: [...this.#rows],
        metadata,
        watching: 0,
        paceMs: 34,
        complete: true,
        at: 0,
        more: true,
      },
      { type: 'board', notes: [...this.notes], removed: [], rest: true },
    ];
  }

  /** What happened since the last batch; null when nothing did. */
  batch(first: readonly FeedEvent[] = []): Batch | null {
    const events = [...first, ...this.#events.splice(0)];
    const updates = [...this.#updates.values()];
    this.#updates.clear();
    return events.length + updates.length === 0 ? null : { seq: ++this.#seq, events, updates };
  }

  /** Time goes on. */
  step(now: number): void {
    this.now = now;
    for (const person of this.people) person.step(now);
    const over = [...this.#expiry].filter(([, at]) => at <= now).map(([key]) => key);
    for (const key of over) this.#expiry.delete(key);
    if (over.length > 0 && this.#own() !== undefined) this.tell(this.self.userId, {}, over);
  }

  // What the people do.

  tell(memberId: string, presence: Record<string, unknown>, unset: readonly string[]): void {
    const place = this.#rows.findIndex((row) => row.memberId === memberId);
    const row = this.#rows[place];
    if (row === undefined) return;
    const lastSeenAt = this.#date();
    const without = (bag: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(bag).filter(([key]) => !unset.includes(key)));
    this.#rows = this.#rows.with(place, { ...row, presence: without({ ...row.presence, ...presence }), lastSeenAt });
    const waiting = this.#updates.get(memberId);
    const kept = without({ ...waiting?.presence, ...presence });
    const gone = [...new Set([...(waiting?.unset ?? []), ...unset])].filter((key) => !(key in kept));
    this.#updates.set(memberId, { memberId, userId: row.actor.userId, presence: kept, unset: gone, lastSeenAt });
  }

  say(text: string, memberId: string): void {
    const name = this.people.find(({ part }) => part.memberId === memberId)?.part.name ?? '';
    this.#say({ type: 'chat', data: { text }, keep: true }, memberId, name);
  }

  write(change: NoteChange, by: string): void {
    const note = this.#write(change, by);
    const last = this.#events.at(-1);
    // One event for what is moved many times between two batches.
    if (last?.type === 'board' && last.notes.length === 1 && last.notes[0]?.id === note.id) last.notes[0] = note;
    else this.#events.push({ type: 'board', notes: [note], removed: [] });
  }

  newNote(by: string, at: { x: number; y: number }): string {
    const id = `sample-${by}-${++this.#made}`;
    const z = Math.max(0, ...this.notes.map((note) => note.z)) + 1;
    this.write({ id, ...at, z, color: PAPERS[this.#made % PAPERS.length] ?? 'yellow', text: '' }, by);
    return id;
  }

  /** The note they wrote last, once they wrote a few: the board must not fill up. */
  ownNote(by: string): Note | undefined {
    const own = this.notes.filter((note) => note.id.startsWith(`sample-${by}-`));
    return own.length >= 2 ? own.find((note) => this.mayWrite(note.id, by)) : undefined;
  }

  /** Notes that nobody writes in. */
  freeNotes(): readonly Note[] {
    return this.notes.filter((note) => this.mayWrite(note.id, ''));
  }

  /** Whether it is there, nobody else writes in it, and the room is not locked. */
  mayWrite(id: string, by: string): boolean {
    if (!this.#notes.has(id) || this.metadata.metadata['locked'] === true) return false;
    return !this.#rows.some((row) => {
      const editing = row.presence['editing'];
      const selected = row.presence['selected'];
      if (row.memberId === by) return false;
      if (typeof editing === 'object' && editing !== null && 'note' in editing && editing.note === id) return true;
      return Array.isArray(selected) && selected.includes(id);
    });
  }

  /** One after the other, and then from the beginning. */
  nextOf(lines: readonly string[]): string {
    const turn = this.#turns.get(lines) ?? 0;
    this.#turns.set(lines, turn + 1);
    return lines[turn % lines.length] ?? '';
  }

  #own(): Member | undefined {
    return this.#rows.find((row) => row.self);
  }

  #write(change: NoteChange, by: string): Note {
    const as_new = { x: 0, y: 0, w: 200, h: 150, z: 0, color: 'yellow', text: '' };
    const note: Note = { ...as_new, ...this.#notes.get(change.id), ...change, updatedAt: this.#date(), updatedBy: by };
    this.#notes.set(note.id, note);
    return note;
  }

  #say({ type, data = null, keep = false }: Publish, userId: string, name: string): Message {
    const message: Message = {
      id: `sample-m${++this.#made}`,
      ...{ type, data, memberId: userId, kept: keep, publishedAt: this.#date() },
      actor: { kind: 'user', userId, name },
    };
    if (keep) this.#log.unshift(message);
    this.#log.splice(LOG_MAX);
    this.#events.push({ type: 'message', message });
    return message;
  }

  #row(id: string, name: string, self: boolean, presence: Record<string, unknown>, place: number): Member {
    return {
      ...{ room: SAMPLE_ROOM, kind: 'room', memberId: id, joinedAt: this.#date(place), lastSeenAt: this.#date() },
      ...{ metadata: {}, presence, actor: { kind: 'user', userId: id, name } },
      ...{ state: 'active', self, verified: true, conflict: false },
    };
  }

  #date(later = 0): string {
    return new Date(Date.now() + later).toISOString();
  }
}

export function refuse(code: ErrorCode, message: string): never {
  throw new ParlorError({ code, message, recoverable: false });
}

export type { Part };
