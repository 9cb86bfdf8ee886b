/**
 * A Yjs `Awareness` whose people are those of a room, for editors that know how to show one: `y-codemirror.next` and
 * its like take it in place of their own. It knows nothing of Yjs but the shape of that interface; the text itself
 * travels by whatever carries the document.
 *
 * Yjs names everybody by the number of their document. A member who edits says theirs in the presence, beside what the
 * editor wants known: `{ yjs: { client, state } }`. Whoever is in the room without an editor has a number made of their
 * name, and `user` with name and colour, so that lists of an editor show them too.
 */
import type { Unsubscribe } from './backend';
import type { Room } from './room';
import type { Member } from './generated/Member';

/** What an editor makes known of one person: `user`, `cursor`, whatever it likes. */
export type AwarenessState = Record<string, unknown>;

/** Which clients are new, changed and gone. */
export interface AwarenessChange {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/** Called with what changed, and `'local'` or the awareness itself as the origin. */
export type AwarenessListener = (change: AwarenessChange, origin: unknown) => void;
type Name = 'change' | 'update' | 'destroy';

/** Where in the presence an editor's state stands. */
const KEY = 'yjs';

export class RoomAwareness {
  readonly states = new Map<number, AwarenessState>();
  readonly meta = new Map<number, { clock: number; lastUpdated: number }>();
  readonly clientID: number;
  #members = new Map<string, Member>();
  readonly #listeners = new Map<Name, Set<AwarenessListener>>();
  readonly #ends: Unsubscribe[];
  #sending = false;
  #unsent = false;

  /** The room has to be joined. Without a state of its own at first, as Yjs has it: `{}`. */
  constructor(
    readonly doc: { readonly clientID: number },
    private readonly room: Pick<Room, 'on' | 'presence'>,
  ) {
    this.clientID = doc.clientID;
    this.states.set(this.clientID, {});
    const row = (member: Member) => this.#show(new Map(this.#members).set(rowOf(member), member));
    this.#ends = [
      room.on('snapshot', (members) => {
        this.#show(new Map(members.map((member) => [rowOf(member), member])));
        // The peer may have forgotten what was sent before the connection broke.
        void this.#send();
      }),
      room.on('joined', row),
      room.on('updated', (member) => row(member)),
      room.on('stale', row),
      room.on('active', row),
      room.on('left', (member) => {
        const rest = new Map(this.#members);
        rest.delete(rowOf(member));
        this.#show(rest);
      }),
    ];
  }

  getStates(): Map<number, AwarenessState> {
    return this.states;
  }

  getLocalState(): AwarenessState | null {
    return this.states.get(this.clientID) ?? null;
  }

  /** `null` takes this editor away from the others' screens; its member stays in the room. */
  setLocalState(state: AwarenessState | null): void {
    const before = this.getLocalState();
    if (state === null) this.states.delete(this.clientID);
    else this.states.set(this.clientID, state);
    this.#touch(this.clientID, state === null);
    this.#tell(difference(this.clientID, before, state), before, state, 'local');
    void this.#send();
  }

  setLocalStateField(field: string, value: unknown): void {
    const state = this.getLocalState();
    if (state !== null) this.setLocalState({ ...state, [field]: value });
  }

  on(name: Name, listener: AwarenessListener): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  once(name: Name, listener: AwarenessListener): void {
    const once: AwarenessListener = (...told) => {
      this.off(name, once);
      listener(...told);
    };
    this.on(name, once);
  }

  off(name: Name, listener: AwarenessListener): void {
    this.#listeners.get(name)?.delete(listener);
  }

  emit(name: Name, told: [AwarenessChange, unknown]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...told);
  }

  destroy(): void {
    for (const end of this.#ends) end();
    this.setLocalState(null);
    this.emit('destroy', [NOTHING, this]);
    this.#listeners.clear();
  }

  /** Takes in who is in the room now. */
  #show(members: Map<string, Member>): void {
    this.#members = members;
    const now = new Map([...members.values()].map(clientOf).filter(([client]) => client !== this.clientID));
    const change = { added: [] as number[], updated: [] as number[], removed: [] as number[] };
    for (const client of this.states.keys()) {
      if (client !== this.clientID && !now.has(client)) change.removed.push(client);
    }
    for (const [client, state] of now) {
      const before = this.states.get(client);
      if (before === undefined) change.added.push(client);
      else if (!same(before, state)) change.updated.push(client);
    }
    for (const client of change.removed) this.states.delete(client);
    for (const client of [...change.added, ...change.updated]) this.states.set(client, now.get(client) ?? {});
    for (const client of change.removed) this.#touch(client, true);
    for (const client of [...change.added, ...change.updated]) this.#touch(client, false);
    if (change.added.length + change.updated.length + change.removed.length === 0) return;
    this.emit('change', [change, this]);
    this.emit('update', [change, this]);
  }

  #tell(change: AwarenessChange, before: AwarenessState | null, after: AwarenessState | null, origin: unknown): void {
    if (before !== null || after !== null) {
      if (!same(before, after)) this.emit('change', [change, origin]);
      this.emit('update', [change, origin]);
    }
  }

  #touch(client: number, gone: boolean): void {
    const clock = (this.meta.get(client)?.clock ?? 0) + 1;
    if (gone && client !== this.clientID) this.meta.delete(client);
    else this.meta.set(client, { clock, lastUpdated: Date.now() });
  }

  /** One request at a time; what changed meanwhile goes with the next, the newest of it alone. */
  async #send(): Promise<void> {
    this.#unsent = true;
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#unsent) {
        this.#unsent = false;
        const state = this.getLocalState();
        const change =
          state === null ? { unset: [KEY] } : { presence: { [KEY]: { client: this.clientID, state } } };
        await this.room.presence(change);
      }
    } catch {
      // Without a peer or a membership nobody is told; the next snapshot or change sends it anew.
    } finally {
      this.#sending = false;
    }
  }
}

const NOTHING: AwarenessChange = { added: [], updated: [], removed: [] };

function difference(client: number, before: unknown, after: unknown): AwarenessChange {
  if (after === null) return { ...NOTHING, removed: before === null ? [] : [client] };
  return before === null ? { ...NOTHING, added: [client] } : { ...NOTHING, updated: [client] };
}

function rowOf(member: Member): string {
  return `${member.memberId}\u0000${member.actor.userId}`;
}

/** By which number somebody is known, and what an editor may show of them. */
function clientOf(member: Member): [number, AwarenessState] {
  const { presence, actor } = member;
  const name = typeof presence['name'] === 'string' ? presence['name'] : actor.name;
  const color = typeof presence['color'] === 'string' ? { color: presence['color'] } : {};
  const said = presence[KEY];
  if (isObject(said) && typeof said['client'] === 'number' && isObject(said['state'])) {
    const user = isObject(said['state']['user']) ? said['state']['user'] : {};
    return [said['client'], { ...said['state'], user: { name, ...color, ...user } }];
  }
  return [numberOf(rowOf(member)), { user: { name, ...color } }];
}

/** A number of 32 bits, always the same for the same text (FNV-1a). */
function numberOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values of JSON are the same. */
function same(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, place) => same(item, other[place]));
  }
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && same(one[key], other[key]));
}
