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
import type { MemberRecord } from './generated/MemberRecord';

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    // What goes to the peer's process is JSON too.
    jsonOf(args?.args ?? args?.change);
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

    async subscribe(room, subscriber) {
      let open = true;
      const channel = new Channel<Batch>();
      // The first batch may come before the answer with the feed's id; its acknowledgement waits for that.
      let named: (feedId: unknown) => void = () => {};
      const feed = new Promise<unknown>((resolve) => (named = resolve));
      channel.onmessage = (batch) => {
        requestAnimationFrame(() => {
          if (!open) return;
          subscriber.batch(batch);
          void feed.then((feedId) => call('ack', { feedId, seq: batch.seq })).catch(() => subscriber.link?.(false));
        });
      };
      named(await call('watch', { room, channel }));
      subscriber.link?.(true);
      return () => {
        if (!open) return;
        open = false;
        void feed.then((feedId) => call('unwatch', { feedId })).catch(() => {}); // the window may be closing
      };
    },
  };
}
