/**
 * Own writes that the feed has not shown yet, laid over the notes so that they are seen at once. A written field is held
 * until the feed shows it, until a moment after the peer took it, or until the peer refuses it; an older state that is
 * still on its way does not flicker in between.
 */
import type { Note, NoteChange } from 'parlor-client';
import { NOTE_SIZE } from './note-geometry';

export type Field = Exclude<keyof NoteChange, 'id'>;
export type Fields = Partial<Pick<Note, Field>>;
export const FIELDS: readonly Field[] = ['x', 'y', 'w', 'h', 'z', 'color', 'text'];

interface Draft {
  readonly value: unknown;
  /** The number of the write that it is of. */
  readonly write: number;
}

interface Held {
  /** The note as it was when the first of its fields was drafted; it may be removed meanwhile. */
  readonly base: Note | null;
  readonly fields: Map<Field, Draft>;
  removed: Draft | null;
}

/** What a change says about a note besides its id. */
export const fieldsOf = (change: NoteChange | Note): Fields =>
  Object.fromEntries(FIELDS.filter((field) => change[field] !== undefined).map((field) => [field, change[field]]));

export const blankNote = (id: string, by: string): Note => ({
  id,
  x: 0,
  y: 0,
  ...NOTE_SIZE,
  z: 0,
  color: 'yellow',
  text: '',
  updatedAt: new Date().toISOString(),
  updatedBy: by,
});

export class NoteDrafts {
  readonly #held = new Map<string, Held>();

  constructor(private readonly me: () => string) {}

  get ids(): Iterable<string> {
    return this.#held.keys();
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  set(change: NoteChange, write: number, now: Note | null): void {
    const held = this.#of(change.id, now);
    held.removed = null;
    for (const field of FIELDS) {
      const value = change[field];
      if (value !== undefined) held.fields.set(field, { value, write });
    }
  }

  remove(id: string, write: number, now: Note | null): void {
    const held = this.#of(id, now);
    held.fields.clear();
    held.removed = { value: true, write };
  }

  /** A note with what is drafted of it; null when there is none. */
  over(id: string, known: Note | undefined): Note | null {
    const held = this.#held.get(id);
    if (held === undefined) return known ?? null;
    if (held.removed !== null) return null;
    const note = { ...(known ?? held.base ?? blankNote(id, this.me())) };
    for (const [field, { value }] of held.fields) Object.assign(note, { [field]: value });
    return { ...note, updatedBy: this.me() };
  }

  /** The feed shows a note, or that it is gone: what is drafted the same needs no draft any more. */
  heard(id: string, note: Note | null): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (note === null) held.removed = null;
    else for (const [field, { value }] of held.fields) if (note[field] === value) held.fields.delete(field);
    this.#tidy(id, held);
  }

  /** A write is settled, one way or the other; answers the notes that look another way now. */
  drop(write: number): string[] {
    const touched: string[] = [];
    for (const [id, held] of this.#held) {
      let any = false;
      if (held.removed?.write === write) [held.removed, any] = [null, true];
      for (const [field, draft] of held.fields) if (draft.write === write) any = held.fields.delete(field) || any;
      if (any) touched.push(id);
      this.#tidy(id, held);
    }
    return touched;
  }

  #of(id: string, now: Note | null): Held {
    let held = this.#held.get(id);
    if (held === undefined) this.#held.set(id, (held = { base: now, fields: new Map(), removed: null }));
    return held;
  }

  #tidy(id: string, held: Held): void {
    if (held.fields.size === 0 && held.removed === null) this.#held.delete(id);
  }
}
