/** Hands a text or a picture over as a file: the browser takes it, and for the desktop's window the app writes it. */
import type { Backend, FileEnding } from 'parlor-client';

const TYPES: Readonly<Record<FileEnding, string>> = {
  md: 'text/markdown',
  png: 'image/png',
  ndjson: 'application/x-ndjson',
};

/** Saves it, and answers where; null where the browser decides that. */
export async function saveFile(
  backend: Pick<Backend, 'saveFile'>,
  name: string,
  ending: FileEnding,
  content: string | Blob,
): Promise<string | null> {
  const file = typeof content === 'string' ? new Blob([content], { type: TYPES[ending] }) : content;
  if (backend.saveFile !== undefined) {
    return backend.saveFile(new Uint8Array(await file.arrayBuffer()), { name, ending });
  }
  download(fileName(name, `.${ending}`), file);
  return null;
}

/** Has the browser take it. */
export function download(name: string, file: Blob): void {
  const address = URL.createObjectURL(file);
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
