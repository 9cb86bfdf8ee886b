/**
 * The way to one room of somebody else's peer, from a page that it shares to browsers. The secret of the link is given once
 * for a cookie that no script can read; from then on the browser says who this is. There is one room and nothing beside it:
 * whatever else a person may do at their own peer is refused here before it is asked.
 */
import type { Backend, Unsubscribe, WindowStatus } from './backend';
import { caller, searchOf } from './call';
import { ParlorError } from './errors';
import type { Left } from './generated/Left';
import type { MemberRecord } from './generated/MemberRecord';
import type { RoomSummary } from './generated/RoomSummary';
import type { Theme } from './generated/Theme';
import type { Welcome } from './generated/Welcome';
import { RoomSocket, type SocketWorld } from './room-socket';

export interface GuestOptions {
  /** Scheme, host and port of the page. */
  readonly origin: string;
  /** The secret of the link; `null` for a page that was loaded anew, whose browser has the cookie. */
  readonly token: string | null;
  /** Replaced in tests. */
  readonly world?: Partial<SocketWorld> & { fetch?: typeof fetch };
}

export function guestBackend({ origin, token, world = {} }: GuestOptions): Backend {
  const call = caller(origin, null, world.fetch ?? fetch.bind(globalThis));
  const told = new Set<() => void>();
  const over = () => [...told].forEach((tell) => tell());
  let secret = token;
  let socket: RoomSocket | null = null;
  let known: Welcome | null = null;
  let theme: Theme = 'system';

  async function welcome(): Promise<Welcome> {
    if (secret !== null) {
      known = await call<Welcome>('POST', '/enter', { body: { token: secret } });
      secret = null;
      return known;
    }
    const now = await call<Welcome | null>('GET', '/session');
    if (now !== null) return (known = now);
    if (known !== null) over();
    throw new ParlorError({ code: 'UNAUTHORIZED', message: 'this room is not shared any more', recoverable: false });
  }

  /** What a page on one's own peer knows of it, as far as there is something of the kind here. */
  const statusOf = (guest: Welcome): WindowStatus => ({
    version: '',
    profile: '',
    userId: guest.userId,
    name: guest.name,
    color: guest.color,
    theme,
    named: guest.named,
    peerId: '',
    sessionId: '',
    listen: [],
    network: 'online',
    links: 1,
    clockAheadMs: null,
    newer: 0,
    cloned: null,
    notices: [],
    openRoom: guest.room,
    guest: { host: guest.host, encrypted: guest.encrypted },
  });

  return {
    kind: 'guest',
    rooms: async () => [],
    // It is there already; what is asked is whether it is private.
    createRoom: async (room): Promise<RoomSummary> => ({
      room,
      kind: 'room',
      members: 0,
      joined: false,
      private: known?.private ?? false,
      title: null,
      faces: [],
      near: true,
      lastOpenedAt: null,
    }),
    forgetRoom: notHere,
    join: (_, args) => call('POST', '/room/join', { body: { presence: args.presence, metadata: args.metadata } }),
    async presence(_, args) {
      // While the socket is between two connections, the request is the way that still works.
      if (socket?.isOpen) await socket.presence(args);
      else await call<MemberRecord>('POST', '/room/presence', { body: args });
    },
    // A leave outlives the page that sends it.
    leave: (_, args = {}) => call<Left>('POST', '/room/leave', { body: args, keepalive: true }),
    members: (_, query = {}) => call('GET', `/room/members${searchOf(query)}`),
    metadata: () => call('GET', '/room/metadata'),
    setMetadata: (_, args) => call('POST', '/room/metadata', { body: args }),
    board: () => call('GET', '/room/board'),
    setBoard: (_, change) => call('POST', '/room/board', { body: change }),
    history: (_, query = {}) => call('GET', `/room/messages${searchOf(query)}`),
    publish: (_, args) => call('POST', '/room/messages', { body: args }),
    access: () => call('GET', '/room/access'),
    changeAccess: notHere,
    ticket: notHere,
    readTicket: notHere,
    share: async () => null,
    changeShare: notHere,
    peers: async () => [],
    dial: notHere,
    checkNetwork: notHere,
    diagnostics: notHere,
    status: async () => statusOf(await welcome()),
    async setProfile(change) {
      theme = change.theme ?? theme;
      const { name, color } = change;
      if (name === undefined && color === undefined) return statusOf(known ?? (await welcome()));
      const body = { ...(name === undefined ? {} : { name }), ...(color === undefined ? {} : { color }) };
      known = await call<Welcome>('POST', '/session', { body });
      return statusOf(known);
    },
    newIdentity: notHere,

    async subscribe(_, subscriber) {
      socket?.close();
      const mine = new RoomSocket(`${origin.replace(/^http/, 'ws')}/room/ws`, ['parlor.v1'], subscriber, world, over);
      socket = mine;
      return () => {
        mine.close();
        if (socket === mine) socket = null;
      };
    },

    onOver(tell): Unsubscribe {
      told.add(tell);
      return () => void told.delete(tell);
    },

    retry: () => socket?.retry(),
  };
}

function notHere(): Promise<never> {
  const message = 'a guest cannot do this';
  return Promise.reject(new ParlorError({ code: 'FORBIDDEN', message, recoverable: false }));
}

/** Takes the secret out of the address bar's hash, so that neither a bookmark nor somebody who looks on keeps it. */
export function takeSecret(location: Location, history: History): string | null {
  const secret = location.hash.slice(1);
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return secret === '' ? null : secret;
}
