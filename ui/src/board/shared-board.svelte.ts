/** The board of one visit to a room: its notes, what others do to them, and this person's writing in one of them. */
import type { Change, Member } from 'parlor-client';
import type { Outbox } from '../domain/outbox';
import { titleOf } from '../domain/note-text';
import type { Person } from '../room/person';
import { BoardNotes, type Around } from './board-notes.svelte';
import { NoteCompany } from './note-company.svelte';
import { NoteEditor } from './note-editor.svelte';

export interface BoardVisit extends Omit<Around, 'tell'> {
  readonly outbox: Outbox;
  readonly self: () => Person | null;
  readonly isSelf: (member: Member) => boolean;
}

export class SharedBoard {
  readonly notes: BoardNotes;
  readonly company: NoteCompany;
  readonly editor: NoteEditor;
  readonly passing: BoardVisit['passing'];

  constructor(visit: BoardVisit) {
    const { outbox, passing, nameOf, self: me } = visit;
    this.passing = passing;
    this.notes = new BoardNotes({ ...visit, tell: (presence) => outbox.set(presence) });
    this.company = new NoteCompany(visit.isSelf);
    this.editor = new NoteEditor({ notes: this.notes, company: this.company, passing, outbox, me, nameOf });
    this.notes.onChange = () => this.editor.notesChanged();
  }

  /** For the first frame of a visit that is entered again. */
  get presence(): Record<string, unknown> {
    return this.notes.presence;
  }

  take(change: Change & { type: 'board' }): void {
    this.notes.heard(change.notes, change.removed);
  }

  hear(key: string, member: Member | null, keys: readonly string[]): void {
    this.company.hear(key, member, keys);
  }

  /** What a note is called in a sentence; null when there is none of it. */
  titleOf(id: string): string | null {
    const note = this.notes.all.get(id);
    return note === undefined ? null : titleOf(note.text);
  }

  close(): void {
    this.editor.close();
    this.notes.close();
  }
}
