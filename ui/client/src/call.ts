/** One request to a peer's HTTP API: its token, for whom it is, JSON in and out, and a refusal as a `ParlorError`. */
import { toParlorError } from './errors';
import { jsonOf } from './json';

/** Somebody whom the peer hosts: a user of a program, by an id that the program makes up. */
export interface Guest {
  readonly id: string;
  /** What the guest is called; the id when missing. */
  readonly name?: string;
}

export interface CallOptions {
  readonly body?: unknown;
  /** For whom; the peer's own person when missing. */
  readonly guest?: Guest | null;
  /** Outlives the page that sends it. */
  readonly keepalive?: boolean;
}

export type Call = <T>(method: string, path: string, options?: CallOptions) => Promise<T>;

/** Calls of one peer; without a token, of a page whose browser carries what says who it is. */
export function caller(origin: string, token: string | null, request: typeof fetch): Call {
  return async <T>(method: string, path: string, { body, guest, keepalive = false }: CallOptions = {}): Promise<T> => {
    let answer: unknown;
    let ok = false;
    try {
      const headers: Record<string, string> = { ...bearer(token, guest), Accept: 'application/json' };
      if (body !== undefined) headers['Content-Type'] = 'application/json';
      const init: RequestInit = { method, headers, keepalive, cache: 'no-store' };
      if (body !== undefined) init.body = jsonOf(body);
      const response = await request(origin + path, init);
      ok = response.ok;
      const text = await response.text();
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
  return {
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...(guest == null ? {} : { 'Parlor-User': inHeader(guest.id) }),
    ...(guest?.name === undefined ? {} : { 'Parlor-User-Name': inHeader(guest.name) }),
  };
}

/** Where a room is. */
export function pathOf(room: string, rest = ''): string {
  return `/rooms/${encodeURIComponent(room)}${rest}`;
}

/** The query of an address. */
export function searchOf(query: object): string {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  return search.size > 0 ? `?${search}` : '';
}

/** UTF-8, which `fetch` sends only as bytes that are code points. */
function inHeader(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}
