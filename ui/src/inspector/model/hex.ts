/** The bytes of a frame as rows, and what its head says: `version | kind | body`, sealed `version | kind | counter | ciphertext`. */
import type { FrameBytes } from 'parlor-client';

const ROW = 8;
/** Version and kind; behind them, of a sealed frame, eight bytes that count its author's seals. */
const HEAD = 2;
const COUNTER = 8;

export type Part = 'version' | 'kind' | 'seal' | 'body';

export interface HexRow {
  readonly at: number;
  readonly bytes: readonly { readonly text: string; readonly part: Part }[];
  readonly text: string;
}

/** One field of the head: whose it is, which bytes, and what it says. */
export interface HeadField {
  readonly name: Part | 'seq';
  readonly bytes: readonly [from: number, count: number];
  readonly value: string;
}

const partOf = (at: number, sealed: boolean): Part =>
  at === 0 ? 'version' : at === 1 ? 'kind' : sealed && at < HEAD + COUNTER ? 'seal' : 'body';

export function bytesOfHex(hex: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at + 1 < hex.length; at += 2) bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes;
}

export function rowsOfHex({ hex, sealed }: FrameBytes): HexRow[] {
  const all = bytesOfHex(hex);
  const rows: HexRow[] = [];
  for (let at = 0; at < all.length; at += ROW) {
    const some = all.slice(at, at + ROW);
    rows.push({
      at,
      bytes: some.map((byte, n) => ({ text: byte.toString(16).padStart(2, '0'), part: partOf(at + n, sealed) })),
      text: some.map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join(''),
    });
  }
  return rows;
}

export function headOf(frame: FrameBytes, kind: string): HeadField[] {
  const bytes = bytesOfHex(frame.hex);
  const length = bytes.length + frame.leftOut;
  const fields: HeadField[] = [];
  const [version, number] = bytes;
  if (version !== undefined) fields.push({ name: 'version', bytes: [0, 1], value: String(version) });
  if (number !== undefined) fields.push({ name: 'kind', bytes: [1, 1], value: `${number} ${kind}` });
  if (frame.sealed && length >= HEAD + COUNTER) {
    const counter = bytes.slice(HEAD, HEAD + COUNTER).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    fields.push({ name: 'seal', bytes: [HEAD, COUNTER], value: String(counter) });
  }
  const head = frame.sealed ? HEAD + COUNTER : HEAD;
  if (frame.seq !== undefined) fields.push({ name: 'seq', bytes: [HEAD, 0], value: String(frame.seq) });
  if (length > head) fields.push({ name: 'body', bytes: [head, length - head], value: '' });
  return fields;
}
