/**
 * Every register that is held: cells of rooms, which many write, and keys of presence, which one writes. What was seen to
 * lose is kept beside the register, with the reason. A write that wins is known by its stamp at once; its value comes with
 * the next snapshot.
 */
import type { CellVersion, Inspected, InspectSnapshot, Newer } from 'parlor-client';

/** A write that does not stand. */
export interface Loss {
  readonly version: CellVersion;
  /** The write that stands instead, or stood when this one came. */
  readonly standing: CellVersion | null;
  readonly why:
    | { readonly is: 'lost'; readonly by: Newer }
    | { readonly is: 'overwritten'; readonly by: Newer }
    | { readonly is: 'aside' | 'pushedOut' }
    | { readonly is: 'refused'; readonly name: string };
  /** When it was seen here, in milliseconds since 1970. */
  readonly at: number;
}

export interface RegisterRow {
  readonly id: string;
  readonly room: string;
  /** `presence`, or what the cell belongs to. */
  readonly kind: string;
  /** The member, the note, or empty of what belongs to the room. */
  readonly owner: string;
  readonly key: string;
  /** Undefined when it was deleted. */
  readonly value: unknown;
  /** Another value was written since the last snapshot. */
  readonly outdated: boolean;
  /** Of a cell. */
  readonly version: CellVersion | null;
  /** Of a key of presence: the version of the record that set it. */
  readonly rev: number | null;
  /** Who wrote it: a person of a cell, a session of presence. */
  readonly writer: string;
  /** When it was written by the writer's clock, or seen to change here; null when before anybody looked. */
  readonly at: number | null;
  readonly expiresAt: number | null;
  /** Cells of other writers that a private room keeps and does not read. */
  readonly read: boolean;
  readonly losses: readonly Loss[];
}

const LOSSES = 50;
/** Registers with losses that are remembered after they are gone from the snapshot. */
const REMEMBERED = 2_000;

type Change = { -readonly [Key in keyof RegisterRow]: RegisterRow[Key] };

export class Registers {
  #rows = new Map<string, Change>();
  #losses = new Map<string, Loss[]>();
  #presenceAt = new Map<string, { rev: number; at: number }>();
  /** Something was written whose value is not known yet. */
  outdated = false;
  /** Cells that the snapshot left out. */
  leftOut = 0;

  get rows(): Iterable<RegisterRow> {
    return this.#rows.values();
  }

  get size(): number {
    return this.#rows.size;
  }

  snapshot(snapshot: InspectSnapshot): void {
    this.#rows = new Map();
    this.outdated = false;
    this.leftOut = 0;
    for (const [room, { cells, records, leftOut }] of Object.entries(snapshot.rooms)) {
      this.leftOut += leftOut;
      for (const { register, version, value, read } of cells) {
        const place = cellId(room, register);
        const id = read ? place : `${place}\u0000${version.writer}`;
        const { kind, object: owner, field: key } = register;
        this.#rows.set(id, {
          ...{ id, room, kind, owner, key, value, version, read, writer: version.writer, at: version.wallMs },
          ...{ outdated: false, rev: null, expiresAt: null, losses: this.#losses.get(place) ?? [] },
        });
      }
      for (const record of records) {
        for (const { key, value, rev, expiresMs } of record.fields) {
          const id = presenceId(room, record.sessionId, record.memberId, key);
          const change = this.#presenceAt.get(id);
          this.#rows.set(id, {
            ...{ id, room, kind: 'presence', owner: record.memberId, key, value, rev, version: null, read: true },
            ...{ writer: record.sessionId, outdated: false, losses: [] },
            at: change !== undefined && change.rev >= rev ? change.at : null,
            expiresAt: expiresMs === undefined ? null : snapshot.wallMs + expiresMs,
          });
        }
      }
    }
  }

  add(seen: Inspected): void {
    if (seen.room === undefined) return;
    if (seen.what === 'presence') {
      for (const key of seen.changed) {
        const id = presenceId(seen.room, seen.session, seen.member, key);
        this.#presenceAt.set(id, { rev: seen.rev, at: seen.wallMs });
        trim(this.#presenceAt);
        const row = this.#rows.get(id);
        if (row !== undefined) Object.assign(row, { outdated: true, at: seen.wallMs, rev: seen.rev });
      }
      this.outdated ||= seen.changed.length > 0;
    } else if (seen.what === 'cell') this.#cell(seen.room, seen);
  }

  #cell(room: string, seen: Inspected & { what: 'cell' }): void {
    const id = cellId(room, seen.register);
    const { outcome, version, wallMs: at } = seen;
    const held = seen.held ?? null;
    if (outcome.is === 'known') return;
    if (outcome.is !== 'won') {
      const why =
        outcome.is === 'lost'
          ? { is: outcome.is, by: outcome.by }
          : outcome.is === 'refused'
            ? { is: outcome.is, name: outcome.why }
            : { is: outcome.is };
      this.#lose(id, { version, standing: held, why, at });
      return;
    }
    if (held !== null) {
      this.#lose(id, { version: held, standing: version, why: { is: 'overwritten', by: newerBy(version, held) }, at });
    }
    this.outdated = true;
    const row = this.#rows.get(id);
    if (row !== undefined) {
      Object.assign(row, { version, writer: version.writer, at: version.wallMs, outdated: true });
      return;
    }
    const { kind, object: owner, field: key } = seen.register;
    this.#rows.set(id, {
      ...{ id, room, kind, owner, key, version, writer: version.writer, at: version.wallMs, read: true },
      ...{ value: undefined, outdated: true, rev: null, expiresAt: null, losses: this.#losses.get(id) ?? [] },
    });
  }

  #lose(id: string, loss: Loss): void {
    const losses = [loss, ...(this.#losses.get(id) ?? [])].slice(0, LOSSES);
    this.#losses.delete(id);
    this.#losses.set(id, losses);
    trim(this.#losses);
    const row = this.#rows.get(id);
    if (row !== undefined) row.losses = losses;
  }
}

function trim(map: Map<string, unknown>): void {
  if (map.size <= REMEMBERED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

const cellId = (room: string, { kind, object, field }: { kind: string; object: string; field: string }): string =>
  [room, kind, object, field].join('\u0000');

const presenceId = (room: string, session: string, member: string, key: string): string =>
  [room, 'presence', session, member, key].join('\u0000');

/** By what the greater of two stamps is greater: clock, then writer, then value. */
export function newerBy(newer: CellVersion, older: CellVersion): Newer {
  if (newer.wallMs !== older.wallMs || newer.count !== older.count) return 'clock';
  return newer.writer === older.writer ? 'value' : 'writer';
}
