/**
 * The way to the peer inside this window's own process. The only file that knows Tauri. One `Channel` carries the feed of
 * a room; each batch is applied and acknowledged inside an animation frame, so a hidden window, which gets no frames,
 * takes nothing and nothing piles up for it.
 */
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Backend, Unsubscribe } from './backend';
import { toParlorError } from './errors';
import type { Follower } from './event-stream';
import { itemsOf, snapshotOf } from './feed-items';
import { jsonOf } from './json';
import type { Batch } from './generated/Batch';
import type { Inspect } from './generated/Inspect';
import type { Item } from './generated/Item';
import type { MemberRecord } from './generated/MemberRecord';
import { joined, type RecordingFile, type Replays } from './replay';
import type { Live } from './room';
import { liveBy, type Operation, type Way } from './room-handle';
import { emptyRoom } from './room-state';

/** `asked`: of a call about a file, which goes as bytes, what is asked of it. */
async function call<T>(command: string, args?: Record<string, unknown> | RecordingFile, asked?: object): Promise<T> {
  try {
    // What goes to the peer's process is JSON too.
    if (!(args instanceof Uint8Array)) jsonOf(args?.args ?? args?.change ?? args?.query, command);
    return await invoke<T>(command, args, asked && { headers: { asked: inHeader(asked) } });
  } catch (cause) {
    throw toParlorError(cause);
  }
}

/** A header takes letters of ASCII alone, and JSON has an escape for each other one. */
function inHeader(asked: object): string {
  return JSON.stringify(asked).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const replays: Replays = {
  recording: async (room, { values = false } = {}) =>
    new Uint8Array(await call<ArrayBuffer>('recording', { room, values })),
  replay: (file, query = {}) => call('replay', file, query),
  replayState: (file, moment = {}) => call('replay_state', file, moment),
  replayTest: (file, name) => call('replay_test', file, name === undefined ? {} : { name }),
  replayLineup: (first, second) => call('replay_lineup', joined(first, second), { first: first.length }),
};

function hear<T>(name: string, told: (what: T) => void): () => void {
  const ear = listen<T>(name, (event) => told(event.payload));
  return () => void ear.then((end) => end()).catch(() => {}); // the window may be closing
}

export function tauriBackend(): Backend {
  return {
    kind: 'desktop',
    rooms: () => call('rooms'),
    createRoom: (room, options) => call('create_room', { room, private: options?.private ?? false }),
    forgetRoom: (room) => call('forget_room', { room }),
    join: (room, args) => call('join', { room, args }),
    presence: async (room, args) => void (await call<MemberRecord>('presence', { room, args })),
    leave: (room, args = {}) => call('leave', { room, args }),
    members: (room, query = {}) => call('members', { room, query }),
    metadata: (room) => call('metadata', { room }),
    setMetadata: (room, args) => call('set_metadata', { room, args }),
    board: (room) => call('board', { room }),
    setBoard: (room, change) => call('set_board', { room, change }),
    history: (room, query = {}) => call('history', { room, query }),
    publish: (room, args) => call('publish', { room, args }),
    access: (room) => call('access', { room }),
    changeAccess: (room, args) => call('change_access', { room, args }),
    ticket: (room) => call('ticket', { room }),
    readTicket: (ticket) => call('read_ticket', { ticket }),
    share: (room) => call('share', { room }),
    changeShare: (room, change) => call('change_share', { room, change }),
    peers: () => call('peers'),
    dial: (addr) => call('dial', { addr }),
    checkNetwork: () => call('check_network'),
    diagnostics: () => call('diagnostics'),
    lab: () => call('lab'),
    changeLab: (change) => call('change_lab', { change }),
    status: () => call('status'),
    setProfile: (change) => call('set_profile', { change }),
    newIdentity: () => call('new_identity'),
    localApi: () => call('local_api'),
    setLocalApi: (choice) => call('set_local_api', { choice }),
    notify: (notice) => call('notify', { ...notice }),
    onNotice: (opened) => hear('notice-opened', opened),
    openLink: (address) => call('open_link', { address }),
    onAway: (away) => hear('person-away', away),
    onStirred: (look) => hear('stirred', look),
    setMenu: (menu) => call('set_menu', { menu }),
    onMenu: (chosen) => hear('menu-chosen', chosen),
    onOpenRoom: (open) => void listen<string>('open-room', (event) => open(event.payload)),

    replays,
    saveRecording: (room, { values = false } = {}) => call('save_recording', { room, values }),
    saveFile: (file, as) => call('save_file', file, as),
    openInspector: () => call('open_inspector'),
    inspectOnce: () => call('inspect_once'),

    async subscribe(room, subscriber) {
      const fed = feed<Batch>('watch', { room }, (batch) => subscriber.batch(batch), () => subscriber.link?.(false));
      await fed.begun;
      subscriber.link?.(true);
      return fed.end;
    },

    inspect(follower, { bytes = false } = {}) {
      const lost = (cause: unknown) => (follower.link?.(false), follower.failed?.(toParlorError(cause)));
      const fed = feed<Looks>('inspect', { bytes }, ({ items }) => items.forEach((item) => follower.item(item)), lost);
      fed.begun.then(() => follower.link?.(true), lost);
      return fed.end;
    },
  };
}

/** The rooms of this window's peer, for a page that is a program of its own: the calls are those of every other way. */
export function createLive(): Live {
  return liveBy(way);
}

/** What a command calls its arguments. */
const ARGUMENT: Partial<Record<Operation, string>> = { members: 'query', history: 'query', set_board: 'change' };

const followed = new Map<string, FollowedRoom>();

const way: Way = {
  ask: (operation, room, args) => call(operation, { room, [ARGUMENT[operation] ?? 'args']: args }),
  rooms: () => call('rooms'),
  createRoom: (room, options) => call('create_room', { room, private: options?.private ?? false }),
  forgetRoom: (room) => call('forget_room', { room }),
  follow(room, follower) {
    const here = followed.get(room) ?? new FollowedRoom(room);
    followed.set(room, here);
    return here.add(follower);
  },
};

/** A window has one feed of a room; whoever follows the room in this page hears of it. */
class FollowedRoom {
  readonly #followers = new Set<Follower>();
  readonly #end: Unsubscribe;
  #state;
  #up = false;

  constructor(private readonly room: string) {
    this.#state = emptyRoom(room);
    const fed = feed<Batch>('watch', { room }, (batch) => this.#take(batch), (cause) => this.#lost(cause));
    this.#end = fed.end;
    fed.begun.then(
      () => this.#link(true),
      (cause: unknown) => this.#lost(cause),
    );
  }

  add(follower: Follower): Unsubscribe {
    // Each its own, so that the same may be there twice.
    const own = { ...follower };
    this.#followers.add(own);
    if (this.#up) follower.link?.(true);
    // Whoever comes later is told first what the others know.
    if (this.#state.ready) follower.item({ id: 0, ...snapshotOf(this.#state) } as Item);
    return () => {
      if (this.#followers.delete(own) && this.#followers.size === 0) this.#close();
    };
  }

  #take(batch: Batch): void {
    const { state, items } = itemsOf(this.#state, batch);
    this.#state = state;
    for (const item of items) for (const follower of [...this.#followers]) follower.item(item);
  }

  #link(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    for (const follower of [...this.#followers]) follower.link?.(up);
  }

  /** The peer is in this process: what ends a feed is a refusal, or the end of the window. */
  #lost(cause: unknown): void {
    this.#close();
    this.#link(false);
    for (const follower of [...this.#followers]) follower.failed?.(toParlorError(cause));
    this.#followers.clear();
  }

  #close(): void {
    if (followed.get(this.room) === this) followed.delete(this.room);
    this.#end();
  }
}

/** What an inspector is handed at once. */
interface Looks {
  readonly seq: number;
  readonly items: readonly Inspect[];
}

/** Batches that a command sends by a channel, each drawn and acknowledged before the next. */
function feed<B extends { readonly seq: number }>(
  command: string,
  args: Record<string, unknown>,
  take: (batch: B) => void,
  lost: (cause: unknown) => void,
): { readonly begun: Promise<unknown>; readonly end: () => void } {
  let open = true;
  const channel = new Channel<B>();
  // The first batch may come before the answer with the feed's id; its acknowledgement waits for that.
  channel.onmessage = (batch) => {
    requestAnimationFrame(() => {
      if (!open) return;
      take(batch);
      void begun.then((feedId) => call('ack', { feedId, seq: batch.seq })).catch(lost);
    });
  };
  const begun = call(command, { ...args, channel });
  const end = () => {
    if (!open) return;
    open = false;
    void begun.then((feedId) => call('unwatch', { feedId })).catch(() => {}); // the window may be closing
  };
  return { begun, end };
}
