/** What of a room's messages stays on this computer: what was read, and a text that was begun. */
import { forgetMarks, type Store } from '../domain/read-marks';

const DRAFT = 'parlor-draft:';

/** The browser's store; null where it keeps nothing. */
export function storeHere(): Store | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** A text that was begun, kept until this page or window is closed. */
export function draftOf(user: string, room: string): string {
  try {
    return sessionStorage.getItem(`${DRAFT}${user}/${room}`) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(user: string, room: string, text: string): void {
  try {
    if (text === '') sessionStorage.removeItem(`${DRAFT}${user}/${room}`);
    else sessionStorage.setItem(`${DRAFT}${user}/${room}`, text);
  } catch {
    // It is in the composer all the same.
  }
}

/** Forgets all of it with the room. */
export function forgetHere(user: string, room: string): void {
  keepDraft(user, room, '');
  try {
    forgetMarks(localStorage, room);
  } catch {
    // Nothing is kept, so nothing is to be forgotten.
  }
}
