/** What is done to notes by keys and by name. A key that has nothing to do here is left to whoever is next. */
import type { Action } from '../app/actions.svelte';
import type { Rect } from '../domain/camera';
import { holds, placeOf, readingOrder, resized } from '../domain/note-geometry';
import { t } from '../i18n';
import type { RoomSession } from '../room/session.svelte';
import type { BoardTransfer } from './board-transfer';

const STEP = 8;
const LEAP = 40;

export function noteActions(session: RoomSession, transfer: BoardTransfer, onimport: () => void): readonly Action[] {
  const { notes, editor } = session.board;
  const some = notes.selected.size > 0;
  const board = 'board' as const;
  const chosen = (run: () => void) => () => notes.selected.size > 0 && (run(), true);
  const first = [...notes.selected][0];
  const all: Action[] = [
    { id: 'notes-all', group: board, words: t.board.selectAll, keys: ['$mod+A'], run: () => notes.selectAll() },
    { id: 'notes-undo', group: board, words: t.board.undo, keys: ['$mod+Z'], run: () => notes.undo() },
    { id: 'notes-redo', group: board, words: t.board.redo, keys: ['$mod+Shift+Z', '$mod+Y'], run: () => notes.redo() },
    { id: 'notes-import', group: board, words: t.board.importAction, run: onimport },
  ];
  if (notes.all.size > 0) {
    all.push(
      { id: 'notes-markdown', group: board, words: t.board.copyMarkdown, run: () => void transfer.copyMarkdown() },
      { id: 'notes-save', group: board, words: t.board.saveMarkdown, run: () => void transfer.saveMarkdown() },
      { id: 'notes-picture', group: board, words: t.board.savePicture, run: () => void transfer.savePicture() },
    );
  }
  const only = some ? {} : ({ only: 'sheet' } as const);
  all.push(
    {
      ...{ id: 'notes-edit', group: board, words: t.board.edit, keys: ['Enter'], only: 'sheet' },
      run: () => notes.selected.size === 1 && first !== undefined && onBoard() && editor.start(first),
    },
    { id: 'notes-duplicate', group: board, words: t.board.duplicate, keys: ['$mod+D'], ...only, run: chosen(() => notes.duplicate()) },
    { id: 'notes-front', group: board, words: t.board.toFront, keys: [']'], ...only, run: chosen(() => notes.restack('front')) },
    { id: 'notes-back', group: board, words: t.board.toBack, keys: ['['], ...only, run: chosen(() => notes.restack('back')) },
    {
      ...{ id: 'notes-remove', group: board, words: t.board.remove, keys: ['Delete', 'Backspace'], ...only },
      run: chosen(() => notes.removeSelected()),
    },
    { id: 'notes-copy', group: board, words: t.board.copyKeys, shown: ['Ctrl', 'C'], only: 'sheet' },
    { id: 'notes-tab', group: board, words: t.board.tabKeys, shown: ['Tab'], only: 'sheet' },
    { id: 'notes-keep', group: board, words: t.board.keepKeys, shown: ['Space'], only: 'sheet' },
    { id: 'notes-size', group: board, words: t.board.sizeKeys, shown: ['$mod', '→'], only: 'sheet' },
  );
  return all;
}

/** A button that has the keyboard keeps its Enter. */
const onBoard = (): boolean => document.activeElement?.closest('button, a, input, summary') == null;

/** Arrow keys move what is selected, or else the view. */
export function arrow(session: RoomSession, event: KeyboardEvent): boolean {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way === undefined || event.altKey) return false;
  const [x = 0, y = 0] = way;
  const { notes } = session.board;
  if (notes.selected.size === 0) {
    if (event.ctrlKey || event.metaKey) return false;
    const by = event.shiftKey ? 160 : 40;
    session.view.pan(-x * by, -y * by);
    return true;
  }
  const by = event.shiftKey ? LEAP : STEP;
  if (event.ctrlKey || event.metaKey) return pull(session, x * by, y * by);
  notes.moveBy(notes.selected, x * by, y * by, 'arrows');
  if (!notes.fixed) session.board.passing.say(t.board.moved(notes.selected.size));
  const moved = notes.chosen.map(placeOf);
  if (moved[0] !== undefined && moved.length === 1) bringIntoView(session, moved[0]);
  return true;
}

/** Pulls the lower right corner of the one that is selected. */
function pull({ board: { notes } }: RoomSession, x: number, y: number): boolean {
  const [note] = notes.chosen;
  if (note === undefined || notes.selected.size !== 1) return false;
  const place = placeOf(note);
  notes.resize(note.id, resized(place, { x: place.x + place.w + x, y: place.y + place.h + y }, false));
  return true;
}

/** The note before or after one in reading order; null past either end. */
export function beside(session: RoomSession, id: string | null, back: boolean): string | null {
  const order = readingOrder(session.board.notes.all.values());
  const at = order.findIndex((note) => note.id === id);
  if (at < 0) return order.at(back ? -1 : 0)?.id ?? null;
  return order[back ? at - 1 : at + 1]?.id ?? null;
}

/** Moves the view no farther than it must. */
export function bringIntoView({ view }: RoomSession, place: Rect): void {
  const { rect } = view;
  if (holds(rect, place)) return;
  if (place.w > rect.w || place.h > rect.h) return view.fit([place]);
  const margin = 24 / view.camera.zoom;
  const nearer = (at: number, length: number, from: number, room: number) =>
    at - margin < from ? at - margin : at + length + margin > from + room ? at + length + margin - room : from;
  view.look({
    ...view.camera,
    x: nearer(place.x, place.w, rect.x, rect.w),
    y: nearer(place.y, place.h, rect.y, rect.h),
  });
}
