/**
 * The way to a peer over its HTTP API, from a page that `parlor serve --ui` serves. Calls are plain requests; the feed
 * and the presence of a room go over one WebSocket a room. The token stays in memory and in headers: never in a store,
 * never in a URL that is kept.
 */
import type { Backend } from './backend';
import { caller, inRoom, pathOf, searchOf } from './call';
import { inspect, inspectOnce } from './inspect';
import type { Left } from './generated/Left';
import type { MemberRecord } from './generated/MemberRecord';
import type { PeerInfo } from './generated/PeerInfo';
import type { RoomSummary } from './generated/RoomSummary';
import { replays } from './replay';
import { RoomSocket, type SocketWorld } from './room-socket';

export interface WebOptions {
  /** Scheme, host and port of the peer: `http://127.0.0.1:4700`. */
  readonly origin: string;
  readonly token: string;
  /** Replaced in tests. */
  readonly world?: Partial<SocketWorld> & { fetch?: typeof fetch };
}

export function webBackend({ origin, token, world = {} }: WebOptions): Backend {
  const request = world.fetch ?? fetch.bind(globalThis);
  const sockets = new Map<string, RoomSocket>();

  const call = caller(origin, token, request);
  const at = inRoom;

  return {
    kind: 'web',
    rooms: async () => (await call<{ rooms: RoomSummary[] }>('GET', '/rooms')).rooms,
    createRoom: (room, options) => call('POST', '/rooms', { body: { room, private: options?.private ?? false } }),
    forgetRoom: async (room) => (await call<{ forgotten?: boolean }>('DELETE', at(room))).forgotten ?? true,
    join: (room, args) => call('POST', at(room, '/join'), { body: args }),
    async presence(room, args) {
      // While the socket is between two connections, the request is the way that still works.
      const socket = sockets.get(room);
      if (socket?.isOpen) await socket.presence(args);
      else await call<MemberRecord>('POST', at(room, '/presence'), { body: args });
    },
    // A leave outlives the page that sends it.
    leave: (room, args = {}) => call<Left>('POST', at(room, '/leave'), { body: args, keepalive: true }),
    members: (room, query = {}) => call('GET', at(room, `/members${searchOf(query)}`)),
    metadata: (room) => call('GET', at(room, '/metadata')),
    setMetadata: (room, args) => call('POST', at(room, '/metadata'), { body: args }),
    board: (room) => call('GET', at(room, '/board')),
    setBoard: (room, change) => call('POST', at(room, '/board'), { body: change }),
    history: (room, query = {}) => call('GET', at(room, `/messages${searchOf(query)}`)),
    publish: (room, args) => call('POST', at(room, '/messages'), { body: args }),
    access: (room) => call('GET', at(room, '/access')),
    changeAccess: (room, args) => call('POST', at(room, '/access'), { body: args }),
    ticket: (room) => call('POST', at(room, '/ticket')),
    readTicket: (ticket) => call('POST', '/tickets', { body: { ticket } }),
    share: (room) => call('GET', at(room, '/share')),
    changeShare: (room, change) => call('POST', at(room, '/share'), { body: change }),
    async peers() {
      const answer = await call<PeerInfo[] | { peers: PeerInfo[] }>('GET', '/peers');
      return Array.isArray(answer) ? answer : answer.peers;
    },
    dial: (addr) => call('POST', '/peers', { body: { addr } }),
    checkNetwork: () => call('POST', '/network/check', { body: {} }),
    diagnostics: () => call('GET', '/diagnostics'),
    lab: () => call('GET', '/lab'),
    changeLab: (change) => call('POST', '/lab', { body: change }),
    status: () => call('GET', '/profile'),
    setProfile: (change) => call('POST', '/profile', { body: change }),
    newIdentity: () => call('POST', '/profile/identity', { body: {} }),
    inspect: (follower, { bytes = false } = {}) =>
      inspect({ origin, token, bytes, ...(world.fetch && { world: { fetch: world.fetch } }) }, follower),
    replays: replays(call),
    inspectOnce: () => inspectOnce({ origin, token, ...(world.fetch && { world: { fetch: world.fetch } }) }),
    async openInspector() {
      // It is handed the token as this page was, and takes it out of the address as this page did.
      const anchor = document.createElement('a');
      anchor.href = `${origin}/inspector#token=${encodeURIComponent(token)}`;
      anchor.target = '_blank';
      anchor.rel = 'noopener noreferrer';
      anchor.click();
    },

    async subscribe(room, subscriber) {
      sockets.get(room)?.close();
      const url = `${origin.replace(/^http/, 'ws')}${pathOf(at(room, '/ws'))}`;
      const socket = new RoomSocket(url, ['parlor.v1', `parlor.bearer.${token}`], subscriber, world);
      sockets.set(room, socket);
      return () => {
        socket.close();
        if (sockets.get(room) === socket) sockets.delete(room);
      };
    },

    retry: () => sockets.forEach((socket) => socket.retry()),
  };
}

/**
 * Takes the token and the room out of the address bar's hash, `#token=…&room=…`, and removes them from it, so that
 * neither a bookmark nor somebody who looks at the screen keeps the token.
 */
export function takeHash(location: Location, history: History): { token: string | null; room: string | null } {
  const given = new URLSearchParams(location.hash.slice(1));
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return { token: given.get('token'), room: given.get('room') };
}
