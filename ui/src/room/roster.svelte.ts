/**
 * Who is shown in a room: its members as rows, with those who left a moment ago where they stood, and what is said of
 * comings and goings. Rows that did not change keep their identity.
 */
import { compareRows, rowKey, type LeftReason, type Member, type RowKey } from 'parlor-client';
import { ComingsAndGoings, LEAVE_WAITS_MS, SAY_EVERY_MS } from '../domain/announcements';
import { t } from '../i18n';
import { personOf, type Person } from './person';

const LEFT_SHOWN_MS = 10_000;

export interface RosterWorld {
  members(): readonly Member[];
  isSelf(member: Member): boolean;
  later(run: () => void, wait: number): void;
  /** As a passing note; the next of the same kind takes its place. */
  tell(text: string, about: 'joined' | 'left'): void;
  /** The rows are others than before. */
  shown(): void;
}

export class Roster {
  /** Everybody in the stable order, with those who left a moment ago. */
  people = $state.raw<readonly Person[]>([]);
  me = $state.raw<Person | null>(null);
  readonly #rows = new Map<RowKey, Person>();
  readonly #departed = new Map<RowKey, Person>();
  readonly #comings = new ComingsAndGoings();

  constructor(private readonly world: RosterWorld) {}

  /** A snapshot came: whoever is in it is here. */
  anew(): void {
    this.#rows.clear();
    for (const member of this.world.members()) this.#departed.delete(rowKey(member));
  }

  /** Something of this row changed; it is made anew when the rows are shown next. */
  changed(key: RowKey): void {
    this.#rows.delete(key);
  }

  /** Somebody is here; `news` when they were not a moment ago. */
  came(member: Member, news: boolean): void {
    const key = rowKey(member);
    this.#rows.delete(key);
    this.#departed.delete(key);
    if (!news || this.world.isSelf(member)) return;
    this.#comings.joined(key, personOf(member, false).name, performance.now());
    this.#announceIn(SAY_EVERY_MS);
  }

  /** Somebody else is gone. Their row stays for a while, and then goes by itself. */
  went(member: Member, reason: LeftReason): void {
    const key = rowKey(member);
    const person = personOf(member, false, reason);
    this.#rows.delete(key);
    this.#departed.set(key, person);
    this.world.later(() => this.#departed.delete(key) && this.show(), LEFT_SHOWN_MS);
    // Of whoever was put out something else is told.
    if (person.putOut) return this.#comings.forget(key);
    this.#comings.left(key, person.name, performance.now());
    this.#announceIn(LEAVE_WAITS_MS + 50);
  }

  show(): void {
    const rows = this.world.members().map((member) => {
      const key = rowKey(member);
      const self = this.world.isSelf(member);
      let row = this.#rows.get(key);
      if (row === undefined || row.self !== self) this.#rows.set(key, (row = personOf(member, self)));
      return row;
    });
    for (const person of this.#departed.values()) {
      const place = rows.findIndex((row) => compareRows(row, person) > 0);
      rows.splice(place < 0 ? rows.length : place, 0, person);
    }
    this.people = rows;
    this.me = rows.find((row) => row.self) ?? null;
    this.world.shown();
  }

  #announceIn(wait: number): void {
    this.world.later(() => {
      const due = this.#comings.take(performance.now());
      if (due === null) return;
      if (due.joined.length > 0) this.world.tell(t.notes.joined(due.joined), 'joined');
      if (due.left.length > 0) this.world.tell(t.notes.left(due.left), 'left');
    }, wait);
  }
}
