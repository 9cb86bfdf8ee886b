/** What a call says, as JSON. */
import { ParlorError } from './errors';
import type { ErrorCode } from './generated/ErrorCode';

/** What a peer answers to a value that cannot be, by the argument that it stands in. */
const CODES: Record<string, ErrorCode> = {
  presence: 'INVALID_PRESENCE',
  metadata: 'INVALID_METADATA',
  set: 'INVALID_BOARD',
  data: 'INVALID_MESSAGE',
};

/**
 * The text of a call's arguments. JSON has no word for what is no number or has no end, and `JSON.stringify` writes `null`
 * for it, which is a value of its own: here it is refused, by its place.
 */
export function jsonOf(value: unknown): string {
  const places = new Map<unknown, string>();
  return JSON.stringify(value, function (this: unknown, key: string, item: unknown): unknown {
    const within = places.get(this) ?? '';
    const path = Array.isArray(this) ? `${within}[${key}]` : within === '' ? key : `${within}.${key}`;
    if (typeof item === 'number' && !Number.isFinite(item)) throw refusal(path, item);
    if (typeof item === 'object' && item !== null) places.set(item, path);
    return item;
  });
}

function refusal(path: string, number: number): ParlorError {
  const code = CODES[/^\w*/.exec(path)?.[0] ?? ''] ?? 'INVALID_JSON';
  const message = `${path} is ${number}; a finite number is allowed`;
  return new ParlorError({ code, message, details: { path }, recoverable: false });
}
