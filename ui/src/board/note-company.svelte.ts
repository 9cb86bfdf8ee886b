/** What others do to notes, as their presence says it: which they selected, which they drag, and in which they write. */
import { rowKey, type Member } from 'parlor-client';
import type { Spot } from '../domain/camera';
import { holderOf, type Editor } from '../domain/note-lease';
import { editingOf, movingOf, selectedOf } from '../domain/seen';

interface Doing {
  readonly selected: readonly string[];
  readonly moving: Spot | null;
  readonly editing: Editor | null;
}

const KEYS: readonly string[] = ['selected', 'moving', 'editing'];

export class NoteCompany {
  /** Who selected a note: keys of rows. */
  marks = $state.raw<ReadonlyMap<string, readonly string[]>>(new Map());
  /** Who has a note to write in it. */
  editors = $state.raw<ReadonlyMap<string, Editor>>(new Map());
  /** Somebody drags notes, on or to another place. */
  onMoving: (ids: readonly string[]) => void = () => {};
  /** Somebody began or ended to write. */
  onEditors: () => void = () => {};
  readonly #doings = new Map<string, Doing>();

  constructor(private readonly isSelf: (member: Member) => boolean) {}

  hear(key: string, member: Member | null, keys: readonly string[]): void {
    if (key === '') {
      const all = [...this.#doings.keys()];
      this.#doings.clear();
      if (all.length > 0) this.#show(true, true);
      return;
    }
    const before = this.#doings.get(key);
    if (member === null || member.state !== 'active' || this.isSelf(member)) {
      if (!this.#doings.delete(key)) return;
      this.#show((before?.selected.length ?? 0) > 0, before?.editing != null);
      if (before?.moving) this.onMoving(before.selected);
      return;
    }
    if (!keys.some((name) => KEYS.includes(name))) return;
    const { presence } = member;
    const { memberId, joinedAt, actor } = member;
    const editing = editingOf(presence);
    const doing: Doing = {
      selected: selectedOf(presence),
      moving: movingOf(presence),
      editing: editing && { ...editing, key: rowKey(member), memberId, joinedAt, userId: actor.userId },
    };
    if (doing.selected.length === 0 && doing.moving === null && doing.editing === null) {
      if (!this.#doings.delete(key)) return;
    } else this.#doings.set(key, doing);
    this.#show(keys.includes('selected'), keys.includes('editing'));
    if (keys.includes('moving') || before?.moving) this.onMoving([...(before?.selected ?? []), ...doing.selected]);
  }

  /** How far somebody drags a note now; null when nobody does. */
  draggedBy(id: string): { readonly key: string; readonly by: Spot } | null {
    for (const [key, { moving, selected }] of this.#doings) {
      if (moving !== null && selected.includes(id)) return { key, by: moving };
    }
    return null;
  }

  editorOf(note: string): Editor | null {
    return this.editors.get(note) ?? null;
  }

  #show(marks: boolean, editors: boolean): void {
    if (marks) {
      const all = new Map<string, string[]>();
      for (const [key, { selected }] of this.#doings) {
        for (const id of selected) all.set(id, [...(all.get(id) ?? []), key]);
      }
      this.marks = all;
    }
    if (!editors) return;
    const writing = [...this.#doings.values()].map(({ editing }) => editing).filter((editing) => editing !== null);
    this.editors = new Map(writing.map(({ note }) => [note, holderOf(note, writing) as Editor]));
    this.onEditors();
  }
}
