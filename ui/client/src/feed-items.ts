/**
 * What a feed for drawing tells, as the events that programs listen for. A feed merges what happened between two frames:
 * of a member that moved ten times there is one `updated` with all keys, and its last values.
 */
import type { Batch } from './generated/Batch';
import type { Item } from './generated/Item';
import type { Member } from './generated/Member';
import { applyBatch, rowKey, type Change, type RoomState } from './room-state';

/** An event before it has a number. */
type Told = Item extends infer One ? (One extends Item ? Omit<One, 'id'> : never) : never;

/** Applies a batch; answers the room as it is then, and what it told. */
export function itemsOf(before: RoomState, batch: Batch): { state: RoomState; items: Item[] } {
  const { events, updates, seq } = batch;
  const told: Told[] = [];
  let state = before;
  for (const event of events) {
    const next = applyBatch(state, { seq, events: [event], updates: [] });
    for (const change of next.changes) told.push(...eventOf(change, state, next.state));
    state = next.state;
  }
  const moved = applyBatch(state, { seq, events: [], updates });
  for (const change of moved.changes) told.push(...eventOf(change, state, moved.state));
  state = moved.state;
  const isPart = events.some((event) => event.type === 'snapshot' || ('rest' in event && event.rest === true));
  // A snapshot comes in parts, and nothing says which is the last. Each is told as all that is known, and voids the one
  // before; of the rest of its batch only messages are in no snapshot.
  const items = isPart ? [snapshotOf(state), ...told.filter(({ type }) => type === 'message')] : told;
  return { state, items: items.map((item) => ({ id: seq, ...item }) as Item) };
}

/** All that is known of a room, as an event. */
export function snapshotOf(state: RoomState): Told {
  const { members, metadata, notes, access, watching, paceMs, complete } = state;
  return {
    ...{ type: 'snapshot', room: metadata.room, members: [...members], metadata, notes: [...notes.values()] },
    ...(access === null ? {} : { access }),
    ...{ watching, paceMs, complete, cloned: null, at: 0 },
  };
}

function eventOf(change: Change, before: RoomState, now: RoomState): Told[] {
  switch (change.type) {
    case 'joined':
    case 'left':
      return [change];
    case 'updated':
      return [{ type: 'updated', member: change.member, changed: [...change.keys] }];
    case 'state': {
      const { member } = change;
      const was = before.members.find((row) => rowKey(row) === rowKey(member));
      if (was === undefined || was.state !== member.state) return [{ type: member.state, member }];
      return [{ type: 'updated', member, changed: differing(was, member) }];
    }
    case 'metadata':
      return [{ type: 'metadata', metadata: now.metadata, changed: [...change.keys] }];
    case 'board':
      return [{ type: 'board', notes: [...change.notes], removed: [...change.removed] }];
    case 'message':
      return [change];
    case 'watching':
      return [{ type: 'watching', count: now.watching }];
    case 'complete':
      return [{ type: 'complete', complete: now.complete }];
    default:
      return [];
  }
}

/** The keys of presence whose values are not the same. */
function differing(one: Member, other: Member): string[] {
  const keys = new Set([...Object.keys(one.presence), ...Object.keys(other.presence)]);
  return [...keys].filter((key) => JSON.stringify(one.presence[key]) !== JSON.stringify(other.presence[key]));
}
