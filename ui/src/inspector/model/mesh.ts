/**
 * Who is connected to whom, as this peer can know it: its own links, and the ways by which frames of others came. Links
 * between two others are told by nobody; that one passes on frames of another is seen.
 */
import type { HeldRecord, Inspected, InspectSnapshot, PeerInfo } from 'parlor-client';

export type NodeState = 'self' | 'linked' | 'relayed' | 'stale';

export interface MeshNode {
  readonly id: string;
  readonly state: NodeState;
}

export interface MeshEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** A link in a room, a connection alone, or a way by which frames come. */
  readonly kind: 'link' | 'connection' | 'relay';
  readonly rttMs: number | null;
  readonly transport: string | null;
}

export interface MeshPicture {
  readonly nodes: readonly MeshNode[];
  readonly edges: readonly MeshEdge[];
}

/** A way by which nothing came for so long is forgotten. */
const RELAY_MS = 15_000;

export class Mesh {
  #self = '';
  #records = new Map<string, HeldRecord>();
  #peers: readonly PeerInfo[] = [];
  readonly #down = new Set<string>();
  readonly #stale = new Set<string>();
  readonly #over = new Set<string>();
  readonly #joined = new Set<string>();
  readonly #ways = new Map<string, { via: string; author: string; at: number }>();

  snapshot({ sessionId, rooms }: InspectSnapshot): void {
    this.#self = sessionId;
    this.#records = new Map(Object.values(rooms).flatMap(({ records }) => records.map((one) => [one.sessionId, one])));
    for (const set of [this.#stale, this.#over, this.#joined, this.#down]) set.clear();
    for (const { sessionId: session, stale } of this.#records.values()) if (stale) this.#stale.add(session);
  }

  linked(peers: readonly PeerInfo[]): void {
    this.#peers = peers;
  }

  add(seen: Inspected): void {
    if (seen.what === 'link') {
      if (seen.up) this.#down.delete(seen.session);
      else this.#down.add(seen.session);
    } else if (seen.what === 'lease') {
      this.#stale.delete(seen.session);
      this.#over.delete(seen.session);
      if (seen.state === 'stale') this.#stale.add(seen.session);
      else if (seen.state === 'over') this.#over.add(seen.session);
    } else if (seen.what === 'presence') {
      this.#joined.add(seen.session);
      this.#over.delete(seen.session);
    } else if (seen.what === 'frameIn' && seen.via !== seen.author) {
      const { via, author, wallMs: at } = seen;
      this.#ways.set(`${via} ${author}`, { via, author, at });
    }
  }

  picture(now: number): MeshPicture {
    const self = this.#self;
    const linked = new Map(this.#peers.map((peer) => [peer.sessionId, peer]));
    const nodes = new Map<string, MeshNode>([[self, { id: self, state: 'self' }]]);
    const add = (id: string) => {
      if (nodes.has(id)) return;
      const state = this.#stale.has(id) ? 'stale' : linked.has(id) ? 'linked' : 'relayed';
      nodes.set(id, { id, state });
    };
    for (const id of linked.keys()) add(id);
    for (const [id] of this.#records) if (!this.#over.has(id)) add(id);
    for (const id of this.#joined) if (!this.#over.has(id)) add(id);
    const edges: MeshEdge[] = [...linked.values()].map((peer) => ({
      ...{ id: `${self} ${peer.sessionId}`, from: self, to: peer.sessionId, rttMs: peer.rttMs },
      transport: peer.transport,
      kind: peer.rooms.length > 0 && !this.#down.has(peer.sessionId) ? 'link' : 'connection',
    }));
    for (const [id, { via, author, at }] of this.#ways) {
      if (now - at > RELAY_MS) this.#ways.delete(id);
      else if (nodes.has(via) && nodes.has(author))
        edges.push({ id, from: via, to: author, kind: 'relay', rttMs: null, transport: null });
    }
    return { nodes: [...nodes.values()], edges };
  }
}
