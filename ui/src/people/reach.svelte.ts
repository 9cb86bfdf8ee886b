/**
 * How this peer reaches each person, for the list of people while it is open: round trips, sessions, links, and what is
 * known of whoever is silent. Read every few seconds, since nothing tells of it by itself, and every second while somebody
 * is silent: what others say of them comes within five.
 */
import { deviceOf, type Device } from '../domain/device';
import { rowKey, type Evidence, type PeerInfo, type Member, type RowKey } from 'parlor-client';
import type { RoomSession } from '../room/session.svelte';

/** One session of somebody. */
export interface DeviceHere {
  readonly sessionId: string;
  readonly device: Device | null;
  readonly joinedAt: string;
  /** Not heard now. */
  readonly silent: boolean;
  readonly rttMs: number | null;
}

export interface Reach {
  /** In the order in which they came. */
  readonly devices: readonly DeviceHere[];
  readonly sessions: number;
  /** Of these sessions, those that are not heard now. */
  readonly silent: number;
  readonly linked: boolean;
  readonly wasLinked: boolean;
  /** The shortest way to one of their sessions, in milliseconds. */
  readonly rttMs: number | null;
  /** Of the session that was heard last. */
  readonly evidence: Evidence | null;
}

const EVERY_MS = 4_000;
const SOON_MS = 1_000;

export class ReachOfPeople {
  of = $state.raw<ReadonlyMap<RowKey, Reach>>(new Map());

  constructor(private readonly session: RoomSession) {}

  watch(): () => void {
    // A tip without a time is no loss.
    const look = () => void this.#look().catch(() => {});
    look();
    let waited = 0;
    const turn = () => {
      waited += SOON_MS;
      const due = waited >= EVERY_MS || this.session.people.some((person) => person.state === 'stale');
      if (!due || document.hidden) return;
      waited = 0;
      look();
    };
    const timer = setInterval(turn, SOON_MS);
    return () => clearInterval(timer);
  }

  async #look(): Promise<void> {
    const { backend, room } = this.session;
    const [peers, { members }] = await Promise.all([
      backend.peers(),
      backend.members(room, { by: 'session', limit: 256, evidence: true }),
    ]);
    this.of = reachOf(members, peers, this.of);
  }
}

/** `members` by session; several rows of one key are one person's. */
export function reachOf(
  members: readonly Member[],
  peers: readonly PeerInfo[],
  before: ReadonlyMap<RowKey, Reach> = new Map(),
): ReadonlyMap<RowKey, Reach> {
  const links = new Map(peers.map((peer) => [peer.sessionId, peer]));
  const found = new Map<RowKey, Reach>();
  for (const member of members) {
    const key = rowKey(member);
    for (const session of member.sessions ?? []) {
      const link = links.get(session.sessionId);
      const other = found.get(key);
      const times = [other?.rttMs ?? null, link?.rttMs ?? null].filter((time) => time !== null);
      const here: DeviceHere = {
        sessionId: session.sessionId,
        device: deviceOf(member.metadata),
        joinedAt: member.joinedAt,
        silent: session.state === 'stale',
        rttMs: link?.rttMs ?? null,
      };
      found.set(key, {
        devices: [...(other?.devices ?? []), here].sort(byArrival),
        sessions: (other?.sessions ?? 0) + 1,
        silent: (other?.silent ?? 0) + (session.state === 'stale' ? 1 : 0),
        linked: (other?.linked ?? false) || link !== undefined,
        wasLinked: (other?.wasLinked ?? before.get(key)?.wasLinked ?? false) || link !== undefined,
        rttMs: times.length > 0 ? Math.min(...times) : null,
        evidence: nearer(other?.evidence ?? null, member.evidence ?? null),
      });
    }
  }
  return found;
}

const byArrival = (a: DeviceHere, b: DeviceHere): number =>
  a.joinedAt.localeCompare(b.joinedAt) || a.sessionId.localeCompare(b.sessionId);

/** That of two which was heard last. */
function nearer(one: Evidence | null, other: Evidence | null): Evidence | null {
  if (one === null || other === null) return one ?? other;
  return other.heardMsAgo < one.heardMsAgo ? other : one;
}
