/**
 * The way to the peer inside this window's own process. The only file that knows Tauri. One `Channel` carries the feed of
 * a room; each batch is applied and acknowledged inside an animation frame, so a hidden window, which gets no frames,
 * takes nothing and nothing piles up for it.
 */
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Backend } from './backend';
import { toParlorError } from './errors';
import { jsonOf } from './json';
import type { Batch } from './generated/Batch';
import type { Inspect } from './generated/Inspect';
import type { MemberRecord } from './generated/MemberRecord';

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    // What goes to the peer's process is JSON too.
    jsonOf(args?.args ?? args?.change ?? args?.query, command);
    return await invoke<T>(command, args);
  } catch (cause) {
    throw toParlorError(cause);
  }
}

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
    setMenu: (menu) => call('set_menu', { menu }),
    onMenu: (chosen) => hear('menu-chosen', chosen),
    onOpenRoom: (open) => void listen<string>('open-room', (event) => open(event.payload)),

    openInspector: () => call('open_inspector'),
    inspectOnce: () => call('inspect_once'),

    async subscribe(room, subscriber) {
      const fed = feed<Batch>('watch', { room }, (batch) => subscriber.batch(batch), () => subscriber.link?.(false));
      await fed.begun;
      subscriber.link?.(true);
      return fed.end;
    },

    inspect(follower) {
      const lost = (cause: unknown) => (follower.link?.(false), follower.failed?.(toParlorError(cause)));
      const fed = feed<Looks>('inspect', {}, ({ items }) => items.forEach((item) => follower.item(item)), lost);
      fed.begun.then(() => follower.link?.(true), lost);
      return fed.end;
    },
  };
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
