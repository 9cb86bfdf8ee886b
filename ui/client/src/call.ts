/** One request to a peer's HTTP API: its token, for whom it is, JSON in and out, and a refusal as a `ParlorError`. */
import { ParlorError, toParlorError } from './errors';
import type { ErrorCode } from './generated/ErrorCode';
import { jsonOf } from './json';

/** Somebody whom the peer hosts: a user of a program, by an id that the program makes up. */
export interface Guest {
  /** 1 to 128 characters, none of them a control character, and no space at either end. */
  readonly id: string;
  /** What the guest is called; the id when missing. */
  readonly name?: string;
}

export interface CallOptions {
  readonly body?: unknown;
  /** A body that is a file. */
  readonly file?: Uint8Array<ArrayBuffer>;
  /** What the answer is; JSON when missing. */
  readonly answer?: 'bytes' | 'text';
  /** For whom; the peer's own person when missing. */
  readonly guest?: Guest | null;
  /** Outlives the page that sends it. */
  readonly keepalive?: boolean;
}

/** What is asked: a path, or one in a room. */
export type Where = string | { readonly room: string; readonly rest: string };

export type Call = <T>(method: string, where: Where, options?: CallOptions) => Promise<T>;

/** Calls of one peer; without a token, of a page whose browser carries what says who it is. */
export function caller(origin: string, token: string | null, request: typeof fetch): Call {
  return async <T>(method: string, where: Where, options: CallOptions = {}): Promise<T> => {
    const { body, file, guest, keepalive = false } = options;
    // What cannot be said is refused before anything is sent, and is no matter of the network.
    const path = pathOf(where);
    const headers: Record<string, string> = { ...bearer(token, guest) };
    if (options.answer === undefined) headers.Accept = 'application/json';
    const init: RequestInit = { method, headers, keepalive, cache: 'no-store' };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = jsonOf(body, path.split('/').at(-1) ?? '');
    }
    if (file !== undefined) {
      headers['Content-Type'] = 'application/octet-stream';
      init.body = file;
    }
    let answer: unknown;
    let ok = false;
    try {
      const response = await request(origin + path, init);
      ok = response.ok;
      if (ok && options.answer === 'bytes') return new Uint8Array(await response.arrayBuffer()) as T;
      const text = await response.text();
      if (ok && options.answer === 'text') return text as T;
      answer = text === '' ? {} : JSON.parse(text);
    } catch (cause) {
      throw toParlorError(cause);
    }
    if (!ok) throw toParlorError(answer);
    return answer as T;
  };
}

/** The right to ask, and for whom. */
export function bearer(token: string | null, guest?: Guest | null): Record<string, string> {
  if (guest != null) checkGuest(guest);
  return {
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...(guest == null ? {} : { 'Parlor-User': inHeader(guest.id) }),
    ...(guest?.name === undefined ? {} : { 'Parlor-User-Name': inHeader(guest.name) }),
  };
}

/** Where something of a room is. */
export function inRoom(room: string, rest = ''): Where {
  return { room, rest };
}

/** The path of what is asked. A room that has no address is refused as the peer refuses it by any other way. */
export function pathOf(where: Where): string {
  if (typeof where === 'string') return where;
  const why = noAddress(where.room);
  if (why !== null) throw refused('INVALID_ROOM_ID', `roomId ${why}`, 'room');
  return `/rooms/${encodeURIComponent(where.room)}${where.rest}`;
}

/** The query of an address. `undefined` is as if it were not there. */
export function searchOf(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return search.size > 0 ? `?${search}` : '';
}

/** Half of a character that takes two units. */
const HALF = /\p{Surrogate}/u;
const CONTROL = /\p{Cc}/u;

/** Browsers and servers make another path of some names: `/rooms/../join` is `/join`. The rest is for the peer to judge. */
function noAddress(room: unknown): string | null {
  if (typeof room !== 'string') return `is ${room === null ? 'null' : typeof room}; a string of 1 to 128 characters is allowed`;
  if (room === '') return 'is empty; give 1 to 128 characters';
  if (room === '.' || room === '..') return `is "${room}", which means another place in an address; take another name`;
  return HALF.test(room) ? 'has half of a surrogate pair; whole characters are allowed' : null;
}

/** A header carries no space at its ends and no half characters: two guests would be one. */
function checkGuest({ id, name }: Guest): void {
  const isId = typeof id === 'string' && id !== '' && id.trim() === id && !CONTROL.test(id) && !HALF.test(id);
  if (!isId) {
    const rule = "a guest's id has 1 to 128 characters, no control characters, and no space at its ends";
    throw refused('INVALID_MEMBER_ID', rule, 'id');
  }
  if (name !== undefined && (typeof name !== 'string' || CONTROL.test(name) || HALF.test(name))) {
    throw refused('INVALID_PRESENCE', 'a name is a string without control characters', 'name');
  }
}

function refused(code: ErrorCode, message: string, path: string): ParlorError {
  return new ParlorError({ code, message, details: { path }, recoverable: false });
}

/** UTF-8, which `fetch` sends only as bytes that are code points. */
function inHeader(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}
