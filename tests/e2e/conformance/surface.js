/**
 * The calls of a room by `parlor-client`, in Node and in a page alike. Arguments are those of the table, in which
 * `"$undefined"`, `"$NaN"` and `"$bigint"` stand for what they are called, since they have to get here through JSON.
 */
const NAMES = ['snapshot', 'joined', 'updated', 'stale', 'active', 'left', 'metadata', 'message'];
/** What an event of the table calls what a listener is told. */
const TOLD = {
  snapshot: ['members', 'metadata'],
  updated: ['member', 'changed'],
  left: ['member', 'reason'],
  metadata: ['metadata', 'changed'],
  message: ['message'],
};

export class Surface {
  #rooms = new Map();
  #ears = [];
  #ends = [];

  constructor({ createLive }, peer) {
    this.createLive = createLive;
    this.peer = peer;
  }

  /** `{value}`, or `{error}` as the table has it. */
  async call(guest, operation, id, json, fresh) {
    try {
      const room = fresh ? this.#live(guest).room(id) : this.#room(guest, id);
      const args = json === undefined ? undefined : given(JSON.parse(json));
      const value = await this.#made(room, guest, operation, args);
      return { value };
    } catch (cause) {
      const { code, message, details, recoverable } = cause;
      if (code === undefined) throw cause;
      return { error: { code, message, details, recoverable } };
    }
  }

  #made(room, guest, operation, args) {
    switch (operation) {
      case 'members':
        return room.membersPage(args);
      case 'set_metadata':
        return room.metadata(args);
      case 'join':
      case 'presence':
      case 'leave':
      case 'metadata':
      case 'publish':
      case 'history':
      case 'board':
      case 'ticket':
        return room[operation](args);
      case 'set_board':
        return room.board(args);
      case 'create_room':
        return this.#live(guest).createRoom(room.id, args);
    }
    throw new Error(`no case has called ${operation} before`);
  }

  /** A handle, which remembers what it joined with. */
  #room(guest, id) {
    const key = `${guest} ${id}`;
    if (!this.#rooms.has(key)) this.#rooms.set(key, this.#live(guest).room(id));
    return this.#rooms.get(key);
  }

  #live(guest) {
    const actor = guest === null ? null : { id: guest, name: guest[0].toUpperCase() + guest.slice(1) };
    return this.createLive({ ...this.peer, resolveActor: () => actor });
  }

  /** Follows a room from now on; answers by which number it is asked for what was heard. */
  listen(id) {
    const heard = [];
    const room = this.#room(null, id);
    for (const type of NAMES) {
      const names = TOLD[type] ?? ['member'];
      const hear = (...told) => heard.push({ type, ...Object.fromEntries(names.map((name, n) => [name, told[n]])) });
      this.#ends.push(room.on(type, hear));
    }
    return this.#ears.push(heard) - 1;
  }

  /** What was heard since this was asked last. */
  heard(ears) {
    return this.#ears[ears].splice(0);
  }

  close() {
    for (const end of this.#ends) end();
  }
}

function given(value) {
  if (value === '$undefined') return undefined;
  if (value === '$NaN') return NaN;
  if (value === '$bigint') return 1n;
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== 'object' || value === null) return value;
  // Not by assignment, which does something else with `__proto__`.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, given(inner)]));
}
