/** Reads the code in a picture of one, such as a photo or a screenshot of an invitation. Nothing of it leaves the page. */

/** Of a file; a photo has less. */
const BYTES_MAX = 32 * 1024 * 1024;
/** Pixels on the longer side: a code that fills a third of a photo is still found, and nobody waits for it. */
const SIDE_MAX = 1_600;
/** For a picture that does not say at once where its code is. */
const SEARCH_MS = 2_000;

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** What the code says; null when there is none that can be read. */
export async function codeIn({ width, height, data }: Pixels): Promise<string | null> {
  const { default: decode } = await import('qr/decode.js');
  try {
    return decode({ width, height, data }, { timeLimit: SEARCH_MS });
  } catch {
    return null;
  }
}

/** The pixels of a picture, fewer than it has when it is large; null when it is none. */
export async function pixelsOf(file: Blob): Promise<Pixels | null> {
  if (file.size > BYTES_MAX) return null;
  const picture = await createImageBitmap(file).catch(() => null);
  if (picture === null) return null;
  const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  // A picture that one can see through is read as on paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
