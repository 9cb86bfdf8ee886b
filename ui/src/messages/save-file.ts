/** Hands a text or bytes over as a file, where the browser can. The desktop window saves none: there it is for the clipboard. */
import type { Backend } from 'parlor-client';

export const canSave = (kind: Backend['kind']): boolean => kind !== 'desktop';

export function saveFile(name: string, content: BlobPart, type = 'text/markdown'): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  // The browser has taken the file by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A name that every file system takes. */
export function fileName(room: string, ending: string): string {
  const plain = room.normalize('NFC').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  return `${Array.from(plain).slice(0, 60).join('') || 'room'}${ending}`;
}
