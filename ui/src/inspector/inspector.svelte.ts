/**
 * A look at one peer. What it tells goes into models that are plain objects; `turn` counts up when they changed, a few times
 * a second, and panels read them again then. While it is paused, or nobody can see the page, it does not count.
 */
import {
  toParlorError,
  type Backend,
  type Inspect,
  type InspectSnapshot,
  type Member,
  type ParlorError,
  type PeerInfo,
  type Recorded,
  type Unsubscribe,
  type WindowStatus,
} from 'parlor-client';
import { lineOf } from '../domain/line';
import { Convergence } from './model/convergence';
import { Mesh } from './model/mesh';
import { Peers } from './model/peers';
import { Recordings } from './model/recordings.svelte';
import { Refusals } from './model/refusals';
import { Registers } from './model/registers';
import { SeenLog } from './model/seen-log';
import { w } from './words';

export type Looked = Pick<Backend, 'kind' | 'status' | 'peers' | 'members'> &
  Required<Pick<Backend, 'inspect' | 'inspectOnce'>> &
  Pick<Backend, 'lab' | 'changeLab' | 'replays' | 'saveRecording' | 'saveFile'>;

/** What changed is shown after this. */
const SHOWN_AFTER_MS = 150;
/** What has no stream is asked for, and ages are shown anew. */
const ASK_EVERY_MS = 2_000;
const AGES_EVERY_MS = 1_000;
/** Values of registers are asked for at most so often, and never for more than a tenth of the time. */
const VALUES_EVERY_MS = 1_000;

export class Inspector {
  turn = $state(0);
  now = $state(Date.now());
  paused = $state(false);
  /** Null before anything was told. */
  up = $state<boolean | null>(null);
  failed = $state.raw<ParlorError | null>(null);
  status = $state.raw<WindowStatus | null>(null);
  missed = $state(0);
  rooms = $state.raw<readonly string[]>([]);
  /** The room that is looked at; all of them when null. */
  room = $state<string | null>(null);
  members = $state.raw<readonly Member[]>([]);
  /** Whether the values of registers are on screen. */
  valuesShown = false;
  /** How much of each room is written down for a recording. */
  recorded = $state.raw<Readonly<Record<string, Recorded>>>({});
  /** Whether frames come with their bytes. */
  bytes = $state(false);
  /** Whether counters are that come with snapshots alone. */
  countersShown = false;

  readonly log = new SeenLog();
  readonly registers = new Registers();
  readonly peers = new Peers();
  readonly convergence = new Convergence();
  readonly refusals = new Refusals();
  readonly mesh = new Mesh();
  readonly recordings: Recordings | null;

  #self = '';
  #names = new Map<string, string>();
  #joined: readonly string[] = [];
  #due: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #lookAfter = 0;
  /** A room was opened that no snapshot has. */
  #roomsOutdated = false;

  #end: Unsubscribe = () => {};

  constructor(readonly backend: Looked) {
    this.recordings = backend.replays === undefined ? null : new Recordings(backend.replays);
  }

  start(): Unsubscribe {
    this.#follow();
    const hidden = () => document.hidden || this.paused;
    const ask = () => hidden() || void this.#ask().catch(() => {});
    ask();
    const asks = setInterval(ask, ASK_EVERY_MS);
    const ages = setInterval(() => hidden() || this.#show(), AGES_EVERY_MS);
    const seen = () => document.hidden || (ask(), this.#change());
    document.addEventListener('visibilitychange', seen);
    return () => {
      this.#end();
      clearInterval(asks);
      clearInterval(ages);
      clearTimeout(this.#due);
      document.removeEventListener('visibilitychange', seen);
    };
  }

  /** From now on frames come with their bytes, or without. */
  showBytes(on: boolean): void {
    if (on === this.bytes) return;
    this.bytes = on;
    this.#end();
    this.#follow();
  }

  #follow(): void {
    const follower = {
      item: (item: Inspect) => this.#told(item),
      link: (up: boolean) => void (this.up = up),
      failed: (cause: unknown) => void (this.failed = toParlorError(cause)),
    };
    this.#end = this.backend.inspect(follower, { bytes: this.bytes });
  }

  pause(paused: boolean): void {
    this.paused = paused;
    clearTimeout(this.#due);
    this.#due = undefined;
    if (!paused) this.#show();
  }

  /** What a session, a peer, a person or a member is called. */
  nameOf(id: string | null): string {
    if (id === null) return '';
    if (id === this.#self || id === this.status?.peerId) return w.you;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    // The end of a peer's id tells it from others, the beginning of anything else.
    return id.startsWith('12D3') ? `…${id.slice(-8)}` : id.length > 20 ? id.slice(0, 8) : id.slice(0, 20);
  }

  /** A name, and the id that it goes by, for what is searched. */
  known(id: string | null): string {
    return id === null ? '' : `${this.nameOf(id)} ${id}`;
  }

  inRoom(room: string | undefined): boolean {
    return this.room === null || room === undefined || room === this.room;
  }

  #told(item: Inspect): void {
    if (item.type === 'snapshot') {
      this.#self = item.sessionId;
      this.#open(item);
      this.registers.snapshot(item);
      this.convergence.snapshot(item);
      this.refusals.snapshot(item);
      this.mesh.snapshot(item);
      this.peers.counters(item.counters);
      this.#linked(item.peers, false);
      void this.#ask().catch(() => {});
    } else if (item.type === 'missed') this.missed += item.count;
    else {
      for (const model of [this.log, this.registers, this.peers, this.convergence, this.refusals, this.mesh]) model.add(item);
      if (item.room !== undefined && !this.rooms.includes(item.room)) this.#roomsOutdated = true;
      // Whoever came has a name that is not known yet.
      if (item.what === 'presence' && !this.#names.has(item.session) && !document.hidden) void this.#ask().catch(() => {});
    }
    this.#change();
  }

  #change(): void {
    if (this.paused || document.hidden) return;
    this.#due ??= setTimeout(() => this.#show(), SHOWN_AFTER_MS);
  }

  #show(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    this.now = Date.now();
    this.turn += 1;
    const wanted = this.countersShown || (this.valuesShown && this.registers.outdated);
    if (this.#roomsOutdated || wanted) void this.#look().catch(() => {});
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.status = await this.backend.status();
      this.#names.set(this.status.userId, lineOf(this.status.name, 40) ?? w.you);
      this.#linked(await this.backend.peers(), true);
      const pages = await Promise.all(
        this.#joined.map((room) => this.backend.members(room, { by: 'session', limit: 256, evidence: true })),
      );
      this.members = pages.flatMap(({ members }) => members);
      for (const { actor, memberId, sessions } of this.members) {
        const name = lineOf(actor.name, 40);
        if (name === null) continue;
        for (const id of [actor.userId, memberId, ...(sessions ?? []).map((one) => one.sessionId)]) this.#names.set(id, name);
      }
    } finally {
      this.#asking = false;
    }
    this.#change();
  }

  #linked(peers: readonly PeerInfo[], sampled: boolean): void {
    this.peers.linked(peers, sampled);
    this.mesh.linked(peers);
    for (const { name, peerId, sessionId } of peers) {
      const line = lineOf(name, 40);
      const known = line ?? this.#names.get(sessionId);
      if (known === undefined) continue;
      this.#names.set(sessionId, known);
      this.#names.set(peerId, known);
    }
  }

  #open({ rooms, recorded }: InspectSnapshot): void {
    this.recorded = recorded;
    this.#roomsOutdated = false;
    this.rooms = Object.keys(rooms);
    if (this.room !== null && !this.rooms.includes(this.room)) this.room = null;
    const joined = Object.entries(rooms).filter(([, { records }]) => records.some(({ own }) => own));
    this.#joined = joined.map(([room]) => room);
  }

  /** What was written since the last snapshot is known by its stamp alone: values come by another one. */
  async #look(): Promise<void> {
    const begun = performance.now();
    if (begun < this.#lookAfter) return;
    this.#lookAfter = Infinity;
    try {
      const snapshot = await this.backend.inspectOnce();
      this.#open(snapshot);
      this.registers.snapshot(snapshot);
      this.convergence.snapshot(snapshot);
      this.refusals.untold(snapshot);
      this.#change();
    } finally {
      const now = performance.now();
      this.#lookAfter = now + Math.max(VALUES_EVERY_MS, 10 * (now - begun));
    }
  }
}
