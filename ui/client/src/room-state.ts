/**
 * What a reader knows of a room, and how a batch of the feed changes it. Pure: a batch goes in, a new state and the
 * list of what changed come out, and nothing that was handed out before is touched. Rows that did not change keep their
 * identity, so a view can tell by `===` what to draw again.
 */
import type { Access } from './generated/Access';
import type { Batch } from './generated/Batch';
import type { FeedEvent } from './generated/FeedEvent';
import type { LeftReason } from './generated/LeftReason';
import type { Member } from './generated/Member';
import type { Message } from './generated/Message';
import type { Note } from './generated/Note';
import type { RoomMetadata } from './generated/RoomMetadata';
import type { Update } from './generated/Update';
import { compareRows } from './order';

/** What tells two rows apart: the same member id may be claimed by two actors (design A5). */
export type RowKey = string;

export interface RoomState {
  /** Every row, in the stable order of design A4: `joinedAt`, then the bytes of `memberId`. */
  readonly members: readonly Member[];
  readonly metadata: RoomMetadata;
  /** The board's notes by id. Those that did not change keep their identity. */
  readonly notes: ReadonlyMap<string, Note>;
  /** Who may do what; null in an open room, where everybody may everything. */
  readonly access: Access | null;
  /** Sessions that look on without a member in the room. */
  readonly watching: number;
  /** Milliseconds between two changes of this peer that others are told: 34 in a room of few, up to 1,000 in the biggest. */
  readonly paceMs: number;
  /** False while the peer's own network is out and the view may be old. */
  readonly complete: boolean;
  /** False until the first snapshot. */
  readonly ready: boolean;
  /** True while the rest of a large snapshot still comes in: rows, then notes, each with `rest`. */
  readonly filling: boolean;
}

/** What a batch did, in its order. */
export type Change =
  | { readonly type: 'snapshot' }
  | { readonly type: 'joined'; readonly member: Member; readonly arrived: boolean }
  | { readonly type: 'updated'; readonly member: Member; readonly keys: readonly string[] }
  | { readonly type: 'state'; readonly member: Member }
  | { readonly type: 'left'; readonly member: Member; readonly reason: LeftReason }
  | { readonly type: 'metadata'; readonly before: RoomMetadata; readonly keys: readonly string[] }
  | { readonly type: 'board'; readonly notes: readonly Note[]; readonly removed: readonly string[]; readonly rest: boolean }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'access'; readonly before: Access | null }
  | { readonly type: 'watching' }
  | { readonly type: 'complete' };

export function emptyRoom(room: string): RoomState {
  return {
    members: [],
    metadata: { room, kind: 'room', metadata: {}, updatedAt: null, updatedBy: null, version: '' },
    notes: new Map(),
    access: null,
    watching: 0,
    paceMs: 34,
    complete: true,
    ready: false,
    filling: false,
  };
}

export function rowKey(row: { memberId: string; actor: { userId: string } }): RowKey {
  return `${row.memberId}\u0000${row.actor.userId}`;
}

/** Applies a batch: its events first, then its updates, as the feed promises. */
export function applyBatch(before: RoomState, batch: Batch): { state: RoomState; changes: Change[] } {
  const changes: Change[] = [];
  let state = before;
  // The rest of a snapshot comes in consecutive batches, so the first batch without any of it is after its end.
  if (
    state.filling &&
    !batch.events.some((event) => event.type === 'snapshot' || ('rest' in event && event.rest === true))
  ) {
    state = { ...state, filling: false };
  }
  for (const event of batch.events) state = applyEvent(state, event, changes);
  if (batch.updates.length > 0) state = applyUpdates(state, batch.updates, changes);
  return { state, changes };
}

function applyEvent(state: RoomState, event: FeedEvent, changes: Change[]): RoomState {
  switch (event.type) {
    case 'snapshot':
      changes.push({ type: 'snapshot' });
      return {
        members: [...event.members].sort(byStableOrder),
        metadata: event.metadata,
        notes: new Map(),
        access: event.access ?? null,
        watching: event.watching,
        paceMs: event.paceMs,
        complete: event.complete,
        ready: true,
        filling: event.more === true,
      };
    case 'joined':
      changes.push({ type: 'joined', member: event.member, arrived: event.rest !== true });
      return { ...state, members: withRow(state.members, event.member) };
    case 'stale':
    case 'active':
      changes.push({ type: 'state', member: event.member });
      return { ...state, members: withRow(state.members, event.member) };
    case 'left': {
      const key = rowKey(event.member);
      changes.push({ type: 'left', member: event.member, reason: event.reason });
      return { ...state, members: state.members.filter((row) => rowKey(row) !== key) };
    }
    case 'metadata':
      changes.push({ type: 'metadata', before: state.metadata, keys: event.changed });
      return { ...state, metadata: event.metadata };
    case 'board': {
      const notes = new Map(state.notes);
      for (const note of event.notes) notes.set(note.id, note);
      for (const id of event.removed) notes.delete(id);
      changes.push({ type: 'board', notes: event.notes, removed: event.removed, rest: event.rest === true });
      return { ...state, notes };
    }
    case 'message':
      changes.push({ type: 'message', message: event.message });
      return state;
    case 'access':
      changes.push({ type: 'access', before: state.access });
      return { ...state, access: event.access };
    case 'watching':
      changes.push({ type: 'watching' });
      return { ...state, watching: event.count };
    case 'pace':
      // Nothing of it is to be seen.
      return { ...state, paceMs: event.paceMs };
    case 'complete':
      changes.push({ type: 'complete' });
      return { ...state, complete: event.complete };
    default:
      // A peer that is newer than this page may say more; what is not known changes nothing.
      return state;
  }
}

function applyUpdates(state: RoomState, updates: readonly Update[], changes: Change[]): RoomState {
  const members = [...state.members];
  const places = new Map(members.map((row, place) => [rowKey(row), place]));
  for (const update of updates) {
    const place = places.get(`${update.memberId}\u0000${update.userId}`);
    const row = place === undefined ? undefined : members[place];
    if (place === undefined || row === undefined) continue; // somebody who left: a late update never brings them back
    const presence = { ...row.presence, ...update.presence };
    for (const key of update.unset) delete presence[key];
    const member = { ...row, presence, lastSeenAt: update.lastSeenAt };
    members[place] = member;
    changes.push({ type: 'updated', member, keys: [...Object.keys(update.presence), ...update.unset] });
  }
  return { ...state, members };
}

function withRow(members: readonly Member[], member: Member): Member[] {
  const key = rowKey(member);
  const place = members.findIndex((row) => rowKey(row) === key);
  const rows = [...members];
  // A new incarnation has a new `joinedAt`, hence perhaps another place.
  if (place >= 0 && rows[place]?.joinedAt === member.joinedAt) {
    rows[place] = member;
    return rows;
  }
  if (place >= 0) rows.splice(place, 1);
  rows.push(member);
  return rows.sort(byStableOrder);
}

function byStableOrder(a: Member, b: Member): number {
  return compareRows({ ...a, userId: a.actor.userId }, { ...b, userId: b.actor.userId });
}
