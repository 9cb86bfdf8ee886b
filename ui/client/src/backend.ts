/**
 * What a user interface may ask of a Parlor peer. There is one interface and several ways to reach a peer: the window's
 * own process (`tauri.ts`), its HTTP API (`web.ts`), a room that somebody shares to browsers (`guest.ts`), and simulated
 * people for development (`fake.ts`); the sample room of the user interface is one more, which reaches nobody. Nothing else
 * in the user interface knows which one it talks to.
 */
import type { Access } from './generated/Access';
import type { AccessChange } from './generated/AccessChange';
import type { Batch } from './generated/Batch';
import type { Board } from './generated/Board';
import type { BoardChange } from './generated/BoardChange';
import type { Diagnostics } from './generated/Diagnostics';
import type { Follower } from './event-stream';
import type { RecordingOptions, Replays } from './replay';
import type { HistoryPage } from './generated/HistoryPage';
import type { HistoryQuery } from './generated/HistoryQuery';
import type { Inspect } from './generated/Inspect';
import type { InspectSnapshot } from './generated/InspectSnapshot';
import type { Invitation } from './generated/Invitation';
import type { Join } from './generated/Join';
import type { LabChange } from './generated/LabChange';
import type { LabState } from './generated/LabState';
import type { Leave } from './generated/Leave';
import type { Left } from './generated/Left';
import type { MemberRecord } from './generated/MemberRecord';
import type { MembersPage } from './generated/MembersPage';
import type { MembersQuery } from './generated/MembersQuery';
import type { Message } from './generated/Message';
import type { MetadataChange } from './generated/MetadataChange';
import type { NetworkReport } from './generated/NetworkReport';
import type { PeerInfo } from './generated/PeerInfo';
import type { PresenceChange } from './generated/PresenceChange';
import type { ProfileChange } from './generated/ProfileChange';
import type { Publish } from './generated/Publish';
import type { RoomMetadata } from './generated/RoomMetadata';
import type { RoomSummary } from './generated/RoomSummary';
import type { Share } from './generated/Share';
import type { ShareChange } from './generated/ShareChange';
import type { Status } from './generated/Status';
import type { TicketInfo } from './generated/TicketInfo';

/** What is in a file that a page makes: Markdown, a picture, or lines of JSON. */
export type FileEnding = 'md' | 'png' | 'ndjson';

/** Ends a subscription. Calling it twice is harmless. */
export type Unsubscribe = () => void;

/** A profile's status, and what concerns this window alone. */
export type WindowStatus = Status & {
  /** The room that the command line asked for. */
  readonly openRoom?: string | null;
  /** Whether the window has a menu bar, to be filled by `setMenu`. */
  readonly menuBar?: boolean;
  /** Whose computer this page is a guest of, in one room; missing where it talks to the person's own peer. */
  readonly guest?: { readonly host: string; readonly encrypted: boolean };
};

/** What stands in a menu bar: a menu for each group, the app's own first, and what the system's items are called. */
export interface WindowMenu {
  readonly groups: readonly {
    readonly title: string;
    readonly items: readonly {
      readonly id: string;
      readonly words: string;
      /** Keys as tinykeys writes them, of what also works while somebody writes. */
      readonly keys?: string;
      readonly chosen?: boolean;
    }[];
  }[];
  readonly words: Readonly<
    Record<
      | 'about'
      | 'hide'
      | 'hideOthers'
      | 'showAll'
      | 'quit'
      | 'edit'
      | 'undo'
      | 'redo'
      | 'cut'
      | 'copy'
      | 'paste'
      | 'selectAll'
      | 'window'
      | 'minimize'
      | 'fullScreen'
      | 'close',
      string
    >
  >;
}

/** What a subscriber is told. */
export interface Subscriber {
  /** The next batch, inside an animation frame. It is acknowledged when this returns. */
  batch(batch: Batch): void;
  /** Whether the way to the peer itself works. A new snapshot follows each time it comes back. */
  link?(up: boolean): void;
}

/** The HTTP API of a window's peer, on loopback. */
export interface LocalApi {
  readonly on: boolean;
  /** 0 takes any free one each time. */
  readonly port: number;
  /** Where it answers, and what every call has to carry; missing while it is off. */
  readonly url?: string;
  readonly token?: string;
}

export interface Backend {
  /** Where this runs; decides words such as "this window" and "this page", never behaviour. */
  readonly kind: 'desktop' | 'web' | 'guest' | 'fake' | 'sample';

  rooms(): Promise<RoomSummary[]>;
  createRoom(room: string, options?: { private?: boolean }): Promise<RoomSummary>;
  forgetRoom(room: string): Promise<boolean>;
  join(room: string, args: Join): Promise<MemberRecord>;
  /** Resolves when the peer has taken the change; calls may come at frame rate, the peer coalesces. */
  presence(room: string, args: PresenceChange): Promise<void>;
  leave(room: string, args?: Leave): Promise<Left>;
  members(room: string, query?: MembersQuery): Promise<MembersPage>;
  metadata(room: string): Promise<RoomMetadata>;
  setMetadata(room: string, args: MetadataChange): Promise<RoomMetadata>;
  /** All notes of a room. A subscriber is told of them anyway: its snapshot brings them as `board` events. */
  board(room: string): Promise<Board>;
  /** Writes the named fields of notes and removes others, all or nothing. Answers the notes it set, as they are now. */
  setBoard(room: string, change: BoardChange): Promise<Board>;
  /** The messages that are kept, newest first. */
  history(room: string, query?: HistoryQuery): Promise<HistoryPage>;
  /** Says something to everybody in the room; with `keep` it stays for those who come later. */
  publish(room: string, args: Publish): Promise<Message>;
  /** Who may do what in a private room; `null` for an open one, where everybody may everything. */
  access(room: string): Promise<Access | null>;
  /** Names hosts, voids what somebody wrote, puts somebody out, changes the key. */
  changeAccess(room: string, args: AccessChange): Promise<Access>;
  /** What lets others into a room. For a private room it is the key. */
  ticket(room: string): Promise<Invitation>;
  /** What a ticket or a link says, for asking before it is used. */
  readTicket(ticket: string): Promise<TicketInfo>;
  /** How a room is shared to browsers; `null` when it is not. */
  share(room: string): Promise<Share | null>;
  /** Begins to share a room to browsers, or ends that and them. */
  changeShare(room: string, change: ShareChange): Promise<Share | null>;
  peers(): Promise<PeerInfo[]>;
  dial(addr: string): Promise<PeerInfo>;
  /** Looks for what keeps people from meeting. Takes up to eight seconds. */
  checkNetwork(): Promise<NetworkReport>;
  /** What the peer knows of itself, for somebody who looks for a fault. It names nobody, so it can be passed on. */
  diagnostics(): Promise<Diagnostics>;
  /** Faults and people on purpose. Refused as `FORBIDDEN` by a peer that was started without `--lab`. */
  lab?(): Promise<LabState>;
  changeLab?(change: LabChange): Promise<LabState>;
  status(): Promise<WindowStatus>;
  setProfile(change: ProfileChange): Promise<Status>;
  /** Makes the person somebody new. Members and feeds of before end with the answer: enter the room again. */
  newIdentity(): Promise<Status>;

  /**
   * Everything that happens in a room: a snapshot first, then what changed. At most one batch is on its way; the next
   * leaves the peer only after this one was acknowledged from `requestAnimationFrame`, so a hidden window takes nothing.
   */
  subscribe(room: string, subscriber: Subscriber): Promise<Unsubscribe>;

  /**
   * What the peer does inside, as it happens, behind a snapshot. With `bytes`, frames come with their first 1,024 bytes as
   * they travel, those of private rooms sealed. Only who has the peer for themselves may look. A window
   * that draws nothing takes nothing, and is told afterwards how much it missed.
   */
  inspect?(follower: Follower<Inspect>, options?: { readonly bytes?: boolean }): Unsubscribe;
  /** How the peer and its rooms are now. */
  inspectOnce?(): Promise<InspectSnapshot>;
  /** The flight recorder, and files of it. */
  readonly replays?: Replays;
  /** Saves a recording where the desktop keeps what is saved, and answers where. A page saves it itself. */
  saveRecording?(room: string, options?: RecordingOptions): Promise<string>;
  /** Saves a file that the page made there too, under a name that is free, and answers where. A browser takes it itself. */
  saveFile?(file: Uint8Array<ArrayBuffer>, as: { readonly name: string; readonly ending: FileEnding }): Promise<string>;
  /** Opens the inspector beside this window. */
  openInspector?(): Promise<void>;

  /** The API for other programs on this computer. Only a window has it to switch. */
  localApi?(): Promise<LocalApi>;
  setLocalApi?(choice: { on: boolean; port: number }): Promise<LocalApi>;

  /** Asks the desktop to show a notice. In a browser the page does that itself. */
  notify?(notice: { title: string; body: string; tag: string }): Promise<void>;
  /** Calls `opened` with the tag of a notice that was clicked. */
  onNotice?(opened: (tag: string) => void): Unsubscribe;
  /** Opens a page of the web in the browser: a window never becomes one. */
  openLink?(address: string): Promise<void>;
  /** Whether the person went away from the computer: locked, idle or asleep, as the system says. */
  onAway?(away: (away: boolean) => void): Unsubscribe;
  /** Something waits for a window that shows nothing, which is said every five seconds: its own timers may stand still. */
  onStirred?(look: () => void): Unsubscribe;

  /** Calls `open` whenever somebody starts the app again and names a room to open in this window. */
  onOpenRoom?(open: (room: string) => void): void;
  /** Fills the window's menu bar, where there is one. */
  setMenu?(menu: WindowMenu): Promise<void>;
  /** Something was chosen in the menu bar, by its id; returns what ends it. */
  onMenu?(chosen: (id: string) => void): Unsubscribe;

  /** Calls `over` when there is nothing to come back for: a guest's room is not shared any more. */
  onOver?(over: () => void): Unsubscribe;

  /** Tries the way to the peer again now instead of at the end of the back-off. */
  retry?(): void;
}
