/**
 * Who edits a note (ux "People"). Presence carries it: whoever says `editing` has the note until they stop, leave, fall
 * silent, or do nothing in it for ten seconds, when the word expires at everybody. Two who begin at the same moment do not
 * see each other yet; then both come to the same by the room's stable order, and the later one lets go.
 */
import { compareRows } from 'parlor-client';

/** How long `editing` holds after the last key. */
export const LEASE_MS = 10_000;
/** It is said again this often while somebody writes. */
export const LEASE_AGAIN_MS = 3_000;

/** What a person says of their writing: the note, and the selected range as offsets in its text. */
export interface Editing {
  readonly note: string;
  readonly from: number;
  readonly to: number;
}

export interface Editor extends Editing {
  readonly key: string;
  readonly memberId: string;
  readonly userId: string;
  readonly joinedAt: string;
}

/** Who has a note of those who say that they edit it. */
export function holderOf(note: string, editors: Iterable<Editor>): Editor | null {
  let holder: Editor | null = null;
  for (const editor of editors) {
    if (editor.note === note && (holder === null || compareRows(editor, holder) < 0)) holder = editor;
  }
  return holder;
}

/** Whether this person lets go of the note that somebody else began to edit at the same moment. */
export const letsGo = (me: Omit<Editor, keyof Editing>, other: Editor): boolean => compareRows(other, me) < 0;
