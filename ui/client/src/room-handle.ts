/** A handle on a room, over any way to a peer: it remembers the member that it joined with, and follows while listened to. */
import type { Unsubscribe } from './backend';
import type { Follower } from './event-stream';
import type { Board } from './generated/Board';
import type { BoardChange } from './generated/BoardChange';
import type { HistoryPage } from './generated/HistoryPage';
import type { HistoryQuery } from './generated/HistoryQuery';
import type { Invitation } from './generated/Invitation';
import type { Item } from './generated/Item';
import type { Join } from './generated/Join';
import type { Leave } from './generated/Leave';
import type { Left } from './generated/Left';
import type { Member } from './generated/Member';
import type { MemberRecord } from './generated/MemberRecord';
import type { MembersPage } from './generated/MembersPage';
import type { MembersQuery } from './generated/MembersQuery';
import type { Message } from './generated/Message';
import type { MetadataChange } from './generated/MetadataChange';
import type { PresenceChange } from './generated/PresenceChange';
import type { Publish } from './generated/Publish';
import type { RoomMetadata } from './generated/RoomMetadata';
import type { RoomSummary } from './generated/RoomSummary';
import type { Live, Room, RoomEvents } from './room';

/** An operation of a room, by the name that it has everywhere. */
export type Operation =
  | 'join'
  | 'presence'
  | 'leave'
  | 'members'
  | 'metadata'
  | 'set_metadata'
  | 'board'
  | 'set_board'
  | 'publish'
  | 'history'
  | 'ticket';

/** How calls and events get to a peer and from it. */
export interface Way {
  /** Asked before anything is awaited, in the context of whoever makes the call. */
  ask<T>(operation: Operation, room: string, args?: unknown): Promise<T>;
  /** Everything that happens in a room, a snapshot first, until the answer is called. */
  follow(room: string, follower: Follower): Unsubscribe;
  rooms(): Promise<RoomSummary[]>;
  createRoom(id: string, options?: { private?: boolean }): Promise<RoomSummary>;
  forgetRoom(id: string): Promise<boolean>;
}

export function liveBy(way: Way): Live {
  return {
    room: <Presence extends object, Metadata extends object, About extends object>(id: string) =>
      new RoomHandle(id, way) as unknown as Room<Presence, Metadata, About>,
    rooms: () => way.rooms(),
    createRoom: (id, options) => way.createRoom(id, options),
    forgetRoom: (id) => way.forgetRoom(id),
  };
}

type Listener = (...told: never[]) => void;

class RoomHandle {
  #memberId: string | undefined;
  #listeners = new Map<keyof RoomEvents, Set<Listener>>();
  #end: Unsubscribe | null = null;
  /** Whether the listeners were told what is in the room. */
  #shown = false;

  constructor(
    readonly id: string,
    private readonly way: Way,
  ) {}

  async join(args: Join = {}): Promise<MemberRecord> {
    const record = await this.#ask<MemberRecord>('join', args);
    this.#memberId = record.memberId;
    return record;
  }

  presence(args?: PresenceChange): Promise<MemberRecord> {
    return this.#ask('presence', this.#named(args));
  }

  leave(args?: Leave): Promise<Left> {
    return this.#ask('leave', this.#named(args));
  }

  async members(query: MembersQuery = {}): Promise<Member[]> {
    return (await this.membersPage(query)).members;
  }

  membersPage(query: MembersQuery = {}): Promise<MembersPage> {
    return this.#ask('members', query);
  }

  async others(query: MembersQuery = {}): Promise<Member[]> {
    const members = await this.members(query);
    // At one peer a member id is of one actor. Whoever has it elsewhere is the same person there, or somebody else.
    const mine = members.find(({ memberId, self }) => memberId === this.#memberId && self)?.actor.userId;
    return members.filter(({ memberId, actor }) => memberId !== this.#memberId || actor.userId !== mine);
  }

  metadata(change?: MetadataChange): Promise<RoomMetadata> {
    return change === undefined ? this.#ask('metadata') : this.#ask('set_metadata', change);
  }

  board(change?: BoardChange): Promise<Board> {
    return change === undefined ? this.#ask('board') : this.#ask('set_board', change);
  }

  publish(args: Publish): Promise<Message> {
    return this.#ask('publish', this.#named(args));
  }

  history(query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.#ask('history', query);
  }

  ticket(): Promise<Invitation> {
    return this.#ask('ticket');
  }

  on(name: keyof RoomEvents, listener: Listener): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    // A function of its own, so that the same listener may be there twice.
    const own: Listener = (...told) => listener(...told);
    this.#listeners.set(name, listeners.add(own));
    // Whoever comes later is owed a snapshot too: the room is followed anew, and everybody gets one.
    if (name === 'snapshot' && this.#shown) this.#stop();
    this.#end ??= this.#follow();
    return () => {
      listeners.delete(own);
      if ([...this.#listeners.values()].some((rest) => rest.size > 0)) return;
      this.#stop();
    };
  }

  #stop(): void {
    this.#end?.();
    this.#end = null;
    this.#shown = false;
  }

  /** The member that this handle joined with is meant when none is named. What is no object is for the peer to refuse. */
  #named(args: unknown = {}): unknown {
    if (typeof args !== 'object' || args === null || Array.isArray(args)) return args;
    const { memberId = this.#memberId } = args as { memberId?: unknown };
    return { ...args, memberId };
  }

  #ask<T>(operation: Operation, args?: unknown): Promise<T> {
    return this.way.ask<T>(operation, this.id, args);
  }

  #follow(): Unsubscribe {
    return this.way.follow(this.id, {
      item: (item) => this.#told(item),
      link: (up) => this.#tell('link', up),
      failed: (cause) => this.#tell('failed', cause),
    });
  }

  #told(item: Item): void {
    switch (item.type) {
      case 'snapshot': {
        this.#shown = true;
        const { members, metadata, notes, watching, complete } = item;
        return this.#tell('snapshot', members, metadata, { notes, watching, complete });
      }
      case 'updated':
        return this.#tell('updated', item.member, item.changed);
      case 'left':
        return this.#tell('left', item.member, item.reason);
      case 'joined':
      case 'stale':
      case 'active':
        return this.#tell(item.type, item.member);
      case 'metadata':
        return this.#tell('metadata', item.metadata, item.changed);
      case 'board':
        return this.#tell('board', item.notes, item.removed);
      case 'message':
        return this.#tell('message', item.message);
      case 'watching':
        return this.#tell('watching', item.count);
      case 'complete':
        return this.#tell('complete', item.complete);
      default:
        return; // of no interest to a program, or of a peer that is newer than this
    }
  }

  #tell(name: keyof RoomEvents, ...told: unknown[]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...(told as never[]));
  }
}
