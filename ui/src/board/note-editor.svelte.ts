/**
 * This person's writing in one note: the lease on it, its text on the way while it is typed, and what others are told of
 * the caret. Who writes nothing for ten seconds keeps the caret here and loses the note to whoever begins (note-lease).
 */
import type { Note } from 'parlor-client';
import type { Notes as PassingNotes } from '../app/notes.svelte';
import { LEASE_AGAIN_MS, LEASE_MS, letsGo, type Editor } from '../domain/note-lease';
import { fitting } from '../domain/note-text';
import type { Outbox } from '../domain/outbox';
import { TypingSignal, TYPING_EXPIRES_MS } from '../domain/typing';
import { t } from '../i18n';
import type { Person } from '../room/person';
import type { BoardNotes } from './board-notes.svelte';
import type { NoteCompany } from './note-company.svelte';

const TEXT_EVERY_MS = 300;

/** What writing needs of a visit to a room. */
export interface Desk {
  readonly notes: BoardNotes;
  readonly company: NoteCompany;
  readonly passing: PassingNotes;
  readonly outbox: Outbox;
  readonly me: () => Person | null;
  readonly nameOf: (userId: string) => string;
}

export class NoteEditor {
  /** The note that this person writes in. */
  note = $state<string | null>(null);
  /** Its text as it is typed. */
  text = $state('');
  readonly #typing: TypingSignal;
  #before: Note | null = null;
  #sent = '';
  #sentAt = -Infinity;
  #range: readonly [number, number] = [0, 0];
  /** When the lease was said last, and when the last key was. */
  #saidAt = -Infinity;
  #actedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly desk: Desk) {
    const { outbox } = desk;
    this.#typing = new TypingSignal((on) =>
      on ? outbox.setNow({ typing: true }, { typing: TYPING_EXPIRES_MS }) : outbox.setNow({ typing: false }),
    );
    desk.company.onEditors = () => this.#othersChanged();
  }

  /** Begins, unless somebody else has the note or nothing may be changed; true when this person writes. */
  start(id: string): boolean {
    if (this.note === id) return true;
    this.end();
    const { notes, company, passing } = this.desk;
    const note = notes.all.get(id);
    if (note === undefined || !notes.may()) return false;
    const other = company.editorOf(id);
    if (other !== null) {
      passing.show(t.board.isEditing(this.desk.nameOf(other.userId)));
      return false;
    }
    this.note = id;
    this.text = this.#sent = note.text;
    this.#before = note;
    this.#range = [note.text.length, note.text.length];
    this.#sentAt = -Infinity;
    this.#hold(true);
    return true;
  }

  /** A key changed the text; answers what fits a note. */
  input(text: string): string {
    const fits = fitting(text);
    if (fits !== text) this.desk.passing.show(t.board.noteFull);
    this.text = fits;
    this.#typing.key();
    this.#hold();
    this.#plan();
    return fits;
  }

  /** The caret or the selected range is elsewhere. */
  caret(from: number, to: number): void {
    if (this.note === null || (this.#range[0] === from && this.#range[1] === to)) return;
    this.#range = [from, to];
    this.#hold(true);
  }

  /** Sends what is left, and lets go of the note. */
  end(): void {
    const { note, text } = this;
    if (note === null) return;
    this.#flush();
    this.note = null;
    this.#typing.stop();
    this.desk.outbox.setNow({ editing: undefined });
    const before = this.#before;
    if (before !== null && before.text !== text)
      this.desk.notes.did([{ id: note, before: { text: before.text }, after: { text } }]);
    this.#before = null;
  }

  /** Notes changed: the one that is written in may be gone, or have another text by somebody's tool. */
  notesChanged(): void {
    const { notes, passing, nameOf } = this.desk;
    if (this.note === null) return;
    const note = notes.all.get(this.note);
    if (note === undefined) {
      const lost = this.#before === null ? null : { ...this.#before, text: this.text };
      clearTimeout(this.#timer);
      this.note = this.#before = null;
      this.#typing.stop();
      this.desk.outbox.setNow({ editing: undefined });
      if (lost === null) return;
      const { id, x, y, w, h, z, color, text } = lost;
      const back = () => notes.may() && notes.write({ set: [{ id, x, y, w, h, z, color, text }] });
      passing.show(t.board.goneWhileWriting, { label: t.board.putBack, run: back });
    } else if (note.text !== this.#sent && this.text === this.#sent && note.updatedBy !== this.desk.me()?.userId) {
      this.text = this.#sent = note.text;
      passing.say(t.board.changedBy(nameOf(note.updatedBy)));
    }
    if (notes.fixed) this.end();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #othersChanged(): void {
    const { note } = this;
    const me = this.desk.me();
    const other: Editor | null = note === null ? null : this.desk.company.editorOf(note);
    if (other === null || me === null) return;
    const mine = performance.now() - this.#actedAt < LEASE_MS;
    if (mine && !letsGo(me, other)) return;
    this.end();
    this.desk.passing.show(t.board.isEditing(this.desk.nameOf(other.userId)));
  }

  /** Says that the note is this person's; `moved` when the caret is elsewhere, which others see. */
  #hold(moved = false): void {
    const { note } = this;
    if (note === null) return;
    const now = performance.now();
    this.#actedAt = now;
    if (!moved && now - this.#saidAt < LEASE_AGAIN_MS) return;
    this.#saidAt = now;
    const [from, to] = this.#range;
    this.desk.outbox.set({ editing: { note, from, to } }, { editing: LEASE_MS });
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const wait = this.#sentAt + TEXT_EVERY_MS - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    const { note, text } = this;
    if (note === null || text === this.#sent) return;
    this.#sent = text;
    this.#sentAt = performance.now();
    this.desk.notes.write({ set: [{ id: note, text }] }, { undo: false, kind: `text ${note}` });
  }
}
