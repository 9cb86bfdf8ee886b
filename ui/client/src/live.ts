/**
 * The calls of a room as a server writes them: `live.room(id).join({ presence })`. Over the HTTP API of a peer, with
 * `fetch` alone, so it runs in Node as it does in a browser.
 *
 * A server has many users, and one peer for all of them: `resolveActor` says for whom the call under way is. It is
 * asked at every call, before anything is awaited, so it may look into what the server keeps for the request
 * (`AsyncLocalStorage`).
 */
import type { Unsubscribe } from './backend';
import { caller, type Call, type Guest, inRoom, searchOf } from './call';
import { ParlorError } from './errors';
import { followRoom } from './event-stream';
import type { HistoryPage } from './generated/HistoryPage';
import type { HistoryQuery } from './generated/HistoryQuery';
import type { Item } from './generated/Item';
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
import type { PresenceChange } from './generated/PresenceChange';
import type { Publish } from './generated/Publish';
import type { RoomMetadata } from './generated/RoomMetadata';

/** For whom a call is; `undefined` when nobody can say, which is an error. */
type Resolved = Guest | null | undefined;

export interface LiveOptions {
  /** Scheme, host and port of the peer: `http://127.0.0.1:4700`. */
  readonly origin: string;
  readonly token: string;
  /**
   * Who acts in the call that is made: a guest of the peer, or `null` for its own person. `undefined` is refused as
   * `UNAUTHORIZED` before anything is sent: a call outside of a request must not be made as the host. Without this function
   * the peer's own person acts.
   */
  readonly resolveActor?: () => Resolved | Promise<Resolved>;
  /** Replaced in tests. */
  readonly world?: { readonly fetch?: typeof fetch; readonly random?: () => number };
}

/** Whatever JSON a program makes up. */
type Json = Record<string, unknown>;
/** A row or an answer, with the presence and the room's settings of this program. */
type Typed<T, Presence> = Omit<T, 'presence'> & { presence: Presence };
type Settings<Metadata> = Omit<RoomMetadata, 'metadata'> & { metadata: Partial<Metadata> };

/** What can be listened for, and what each listener is told. */
export interface RoomEvents<Presence extends object = Json, Metadata extends object = Json> {
  joined: [member: Typed<Member, Presence>];
  updated: [member: Typed<Member, Presence>, changed: string[]];
  stale: [member: Typed<Member, Presence>];
  active: [member: Typed<Member, Presence>];
  left: [member: Typed<Member, Presence>, reason: LeftReason];
  metadata: [settings: Settings<Metadata>, changed: string[]];
  message: [message: Message];
  /** The room as it is: at first, and whenever too much was missed. What was known before is void. */
  snapshot: [members: Typed<Member, Presence>[], settings: Settings<Metadata>];
  /** Whether the way to the peer works. */
  link: [up: boolean];
  /** The peer refuses, and would again. Nothing follows. */
  failed: [cause: ParlorError];
}

export interface Room<Presence extends object = Json, Metadata extends object = Json> {
  readonly id: string;
  join(args?: Omit<Join, 'presence'> & { presence?: Presence }): Promise<Typed<MemberRecord, Presence>>;
  /**
   * Keys merge at the top. Without `memberId` it is the member that this handle joined with, else the actor's only one.
   */
  presence(
    args: Omit<PresenceChange, 'presence'> & { presence?: Partial<Presence> },
  ): Promise<Typed<MemberRecord, Presence>>;
  leave(args?: Leave): Promise<Left>;
  /** An array; `membersPage` has the cursor of the next, and how many there are. */
  members(query?: MembersQuery): Promise<Typed<Member, Presence>[]>;
  membersPage(query?: MembersQuery): Promise<Omit<MembersPage, 'members'> & { members: Typed<Member, Presence>[] }>;
  /** Everybody but the member that this handle joined with; another actor who took the same id is one of the others. */
  others(query?: MembersQuery): Promise<Typed<Member, Presence>[]>;
  /** The shared settings, changed first when something is given. */
  metadata(change?: Omit<MetadataChange, 'metadata'> & { metadata?: Partial<Metadata> }): Promise<Settings<Metadata>>;
  publish(args: Publish): Promise<Message>;
  history(query?: HistoryQuery): Promise<HistoryPage>;
  /** Follows the room for as long as anybody listens; comes back by itself when the connection breaks. */
  on<Name extends keyof RoomEvents>(
    name: Name,
    listener: (...told: RoomEvents<Presence, Metadata>[Name]) => void,
  ): Unsubscribe;
}

export interface Live {
  /** A handle on a room, which remembers the member that it joined with. Nothing happens yet. */
  room<Presence extends object = Json, Metadata extends object = Json>(id: string): Room<Presence, Metadata>;
}

/** A way to a peer for a program. */
export function createLive(options: LiveOptions): Live {
  return {
    room: <Presence extends object, Metadata extends object>(id: string) =>
      new RoomHandle(id, options) as unknown as Room<Presence, Metadata>,
  };
}

type Listener = (...told: never[]) => void;

class RoomHandle {
  #memberId: string | undefined;
  #listeners = new Map<keyof RoomEvents, Set<Listener>>();
  #end: Unsubscribe | null = null;
  /** Whether the listeners were told what is in the room. */
  #shown = false;
  readonly #call: Call;

  constructor(
    readonly id: string,
    private readonly options: LiveOptions,
  ) {
    this.#call = caller(options.origin, options.token, options.world?.fetch ?? fetch.bind(globalThis));
  }

  async join(args: Join = {}): Promise<MemberRecord> {
    const record = await this.#ask<MemberRecord>('POST', '/join', args);
    this.#memberId = record.memberId;
    return record;
  }

  presence(args: PresenceChange): Promise<MemberRecord> {
    return this.#ask('POST', '/presence', this.#named(args));
  }

  leave(args: Leave = {}): Promise<Left> {
    return this.#ask('POST', '/leave', this.#named(args));
  }

  async members(query: MembersQuery = {}): Promise<Member[]> {
    return (await this.membersPage(query)).members;
  }

  membersPage(query: MembersQuery = {}): Promise<MembersPage> {
    return this.#ask('GET', `/members${searchOf(query)}`);
  }

  async others(query: MembersQuery = {}): Promise<Member[]> {
    const members = await this.members(query);
    // At one peer a member id is of one actor. Whoever has it elsewhere is the same person there, or somebody else.
    const mine = members.find(({ memberId, self }) => memberId === this.#memberId && self)?.actor.userId;
    return members.filter(({ memberId, actor }) => memberId !== this.#memberId || actor.userId !== mine);
  }

  metadata(change?: MetadataChange): Promise<RoomMetadata> {
    return change === undefined ? this.#ask('GET', '/metadata') : this.#ask('POST', '/metadata', change);
  }

  publish(args: Publish): Promise<Message> {
    return this.#ask('POST', '/messages', this.#named(args));
  }

  history(query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.#ask('GET', `/messages${searchOf(query)}`);
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

  /** The member that this handle joined with is meant when none is named. */
  #named<Args extends { memberId?: string }>(args: Args): Args {
    return { ...args, memberId: args.memberId ?? this.#memberId };
  }

  async #ask<T>(method: string, rest: string, body?: unknown): Promise<T> {
    const guest = await this.#actor();
    return this.#call<T>(method, inRoom(this.id, rest), { body, guest });
  }

  /** Asked before the first wait, in the context of whoever makes the call. */
  async #actor(): Promise<Guest | null> {
    const { resolveActor } = this.options;
    if (resolveActor === undefined) return null;
    const actor = await resolveActor();
    if (actor !== undefined) return actor;
    throw nobody("resolveActor says undefined, which is nobody; give { id } of a guest, or null for the peer's own person");
  }

  #follow(): Unsubscribe {
    let end: Unsubscribe | null = null;
    let ended = false;
    const { origin, token, world } = this.options;
    const begin = async () => {
      const guest = await this.#actor();
      if (ended) return;
      const options = { origin, token, guest, ...(world === undefined ? {} : { world }) };
      end = followRoom(this.id, options, {
        item: (item) => this.#told(item),
        link: (up) => this.#tell('link', up),
        failed: (cause) => this.#tell('failed', cause),
      });
    };
    begin().catch((cause: unknown) => {
      if (!ended) this.#tell('failed', cause instanceof ParlorError ? cause : nobody(String(cause)));
    });
    return () => {
      ended = true;
      end?.();
    };
  }

  #told(item: Item): void {
    switch (item.type) {
      case 'snapshot':
        this.#shown = true;
        return this.#tell('snapshot', item.members, item.metadata);
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
      case 'message':
        return this.#tell('message', item.message);
      default:
        return; // of no interest to a program, or of a peer that is newer than this
    }
  }

  #tell(name: keyof RoomEvents, ...told: unknown[]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...(told as never[]));
  }
}

function nobody(message: string): ParlorError {
  return new ParlorError({ code: 'UNAUTHORIZED', message, recoverable: false });
}
