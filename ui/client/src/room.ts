/** What a program may do in a room and hears of it, whatever way leads to the peer. */
import type { Unsubscribe } from './backend';
import type { ParlorError } from './errors';
import type { Board } from './generated/Board';
import type { BoardChange } from './generated/BoardChange';
import type { HistoryPage } from './generated/HistoryPage';
import type { HistoryQuery } from './generated/HistoryQuery';
import type { Invitation } from './generated/Invitation';
import type { Join } from './generated/Join';
import type { Leave } from './generated/Leave';
import type { Left } from './generated/Left';
import type { LeftReason } from './generated/LeftReason';
import type { Member } from './generated/Member';
import type { MemberRecord } from './generated/MemberRecord';
import type { MembersPage } from './generated/MembersPage';
import type { MembersQuery } from './generated/MembersQuery';
import type { Message } from './generated/Message';
import type { MetadataChange } from './generated/MetadataChange';
import type { Note } from './generated/Note';
import type { PresenceChange } from './generated/PresenceChange';
import type { Publish } from './generated/Publish';
import type { RoomMetadata } from './generated/RoomMetadata';
import type { RoomSummary } from './generated/RoomSummary';

/** Whatever JSON a program makes up. */
export type Json = Record<string, unknown>;
/** Of a type of the program's own, or any. */
type Key<T> = Extract<keyof T, string>;
/** A row or an answer, with the presence and the metadata of this program. */
type Typed<T, Presence, About> = Omit<T, 'presence' | 'metadata'> & { presence: Presence; metadata: About };
type Settings<Metadata> = Omit<RoomMetadata, 'metadata'> & { metadata: Partial<Metadata> };

/** What can be listened for, and what each listener is told. */
export interface RoomEvents<Presence extends object = Json, Metadata extends object = Json, About extends object = Json> {
  joined: [member: Typed<Member, Presence, About>];
  updated: [member: Typed<Member, Presence, About>, changed: string[]];
  stale: [member: Typed<Member, Presence, About>];
  active: [member: Typed<Member, Presence, About>];
  left: [member: Typed<Member, Presence, About>, reason: LeftReason];
  metadata: [settings: Settings<Metadata>, changed: string[]];
  /** Notes that are new or changed, as they are now, and the ids of those that went. */
  board: [notes: Note[], removed: string[]];
  message: [message: Message];
  /** How many look on without a member. */
  watching: [count: number];
  /** Whether the list is current; not while the peer's own network is out. */
  complete: [complete: boolean];
  /** The room as it is: at first, and whenever too much was missed. What was known before is void. */
  snapshot: [
    members: Typed<Member, Presence, About>[],
    settings: Settings<Metadata>,
    more: { notes: Note[]; watching: number; complete: boolean },
  ];
  /** Whether the way to the peer works. */
  link: [up: boolean];
  /** The peer refuses, and would again. Nothing follows. */
  failed: [cause: ParlorError];
}

/**
 * A room, for a program whose members have this `Presence`, whose settings are this `Metadata`, and whose members have this
 * metadata `About` them. Others may write what they like: only the calls are held to the types.
 */
export interface Room<Presence extends object = Json, Metadata extends object = Json, About extends object = Json> {
  readonly id: string;
  join(
    args?: Omit<Join, 'presence' | 'metadata'> & { presence?: Presence; metadata?: About },
  ): Promise<Typed<MemberRecord, Presence, About>>;
  /**
   * Keys merge at the top. Without `memberId` it is the member that this handle joined with, else the actor's only one.
   * `unset` takes keys away; `expire` has milliseconds (100 to 3,600,000) for keys of this call that are to vanish.
   */
  presence(
    args: Omit<PresenceChange, 'presence' | 'unset' | 'expire'> & {
      presence?: Partial<Presence>;
      unset?: Key<Presence>[];
      expire?: { [key in Key<Presence>]?: number };
    },
  ): Promise<Typed<MemberRecord, Presence, About>>;
  leave(args?: Leave): Promise<Left>;
  /** An array; `membersPage` has the cursor of the next, and how many there are. */
  members(query?: MembersQuery): Promise<Typed<Member, Presence, About>[]>;
  membersPage(
    query?: MembersQuery,
  ): Promise<Omit<MembersPage, 'members'> & { members: Typed<Member, Presence, About>[] }>;
  /** Everybody but the member that this handle joined with; another actor who took the same id is one of the others. */
  others(query?: MembersQuery): Promise<Typed<Member, Presence, About>[]>;
  /** The shared settings, changed first when something is given. */
  metadata(
    change?: Omit<MetadataChange, 'metadata' | 'unset'> & { metadata?: Partial<Metadata>; unset?: Key<Metadata>[] },
  ): Promise<Settings<Metadata>>;
  /** All notes; with a change those that it set, as they are then. */
  board(change?: BoardChange): Promise<Board>;
  publish(args: Publish): Promise<Message>;
  history(query?: HistoryQuery): Promise<HistoryPage>;
  /** What lets others in: for a private room it is the key, so give it to nobody else. */
  ticket(): Promise<Invitation>;
  /** Follows the room for as long as anybody listens; comes back by itself when the connection breaks. */
  on<Name extends keyof RoomEvents>(
    name: Name,
    listener: (...told: RoomEvents<Presence, Metadata, About>[Name]) => void,
  ): Unsubscribe;
}

export interface Live {
  /** A handle on a room, which remembers the member that it joined with. Nothing happens yet. */
  room<Presence extends object = Json, Metadata extends object = Json, About extends object = Json>(
    id: string,
  ): Room<Presence, Metadata, About>;
  /** Rooms near, open here and opened before: those with people first, then the most recently opened. */
  rooms(): Promise<RoomSummary[]>;
  /** Remembers a room; a private one is made, and takes in only those who have its ticket. */
  createRoom(id: string, options?: { private?: boolean }): Promise<RoomSummary>;
  /** Leaves a room and forgets what is kept of it. Answers whether it was known. */
  forgetRoom(id: string): Promise<boolean>;
}
