import type { Attachment } from 'svelte/attachments';

/**
 * Opens a dialog over the page for as long as it is there. `closed` is called when the browser closes it, as it does at Esc.
 * When it goes because the page takes it away, nobody is told: the browser says so later, and by then the next one may be
 * open, which would be closed in its place.
 */
export function modal(closed: () => void): Attachment<HTMLDialogElement> {
  return (dialog) => {
    dialog.addEventListener('close', closed);
    dialog.showModal();
    return () => {
      dialog.removeEventListener('close', closed);
      dialog.close();
    };
  };
}
