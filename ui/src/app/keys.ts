/** Shortcuts that wait while somebody writes or a sheet is open. */
import type { KeyBindingMap } from 'tinykeys';

export function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable]') !== null &&
    !target.matches('[type="radio"]')
  );
}

/** A sheet has the keys. */
export const isBusyElsewhere = (): boolean => document.querySelector('dialog[open]') !== null;

export function unlessWriting(bindings: KeyBindingMap): KeyBindingMap {
  return Object.fromEntries(
    Object.entries(bindings).map(([keys, run]) => [
      keys,
      (event: KeyboardEvent) => {
        if (isWriting(event.target) || isBusyElsewhere()) return;
        event.preventDefault();
        run(event);
      },
    ]),
  );
}
