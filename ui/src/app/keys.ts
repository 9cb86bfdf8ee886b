/** When shortcuts wait: while somebody writes, or a sheet is open. */
export function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable]') !== null &&
    !target.matches('[type="radio"]')
  );
}

/** A sheet has the keys. */
export const isBusyElsewhere = (): boolean => document.querySelector('dialog[open]') !== null;
