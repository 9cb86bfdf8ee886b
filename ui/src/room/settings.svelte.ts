/**
 * The room's shared settings as views show and change them. A locked room takes no change but unlocking: in an open room
 * that is a courtesy of this window, not a wall (design A6). In a private one only hosts lock, and change what is locked.
 */
import type { Backend, MetadataChange, RoomMetadata } from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes } from '../app/notes.svelte';
import type { Standing } from '../domain/access';
import { SettingChanges, stillStands, type SettingChange } from '../domain/changes';
import { lineOf } from '../domain/line';
import { PINS_KEY, pinsIn } from '../domain/message-types';
import { t } from '../i18n';

/** No string is longer (design A8), so nothing is cut that could then be saved. */
const VALUE_LETTERS = 2048;
/** These have a place of their own; the others are listed. */
const OWN_PLACE: ReadonlySet<string> = new Set(['title', 'mode', 'locked', PINS_KEY]);

/** One of the others: its name, and what is shown of the name and of the value. */
export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly text: string;
}

export class RoomSettings {
  title = $state<string | null>(null);
  mode = $state<string | null>(null);
  locked = $state(false);
  keys = $state.raw<readonly Setting[]>([]);
  /** Ids of pinned messages, the newest pin first. */
  pins = $state.raw<readonly string[]>([]);
  /** What changed while this window looked on, the newest first. */
  changes = $state.raw<readonly SettingChange[]>([]);
  updatedAt = $state<string | null>(null);
  updatedBy = $state<string | null>(null);
  #now = $state.raw<RoomMetadata['metadata']>({});
  readonly #taken = new SettingChanges();

  constructor(
    private readonly backend: Backend,
    private readonly room: string,
    private readonly notes: Notes,
    private readonly me: () => string,
    private readonly nameOf: (userId: string | null) => string,
    private readonly standing: () => Standing,
    /** This person changes something. */
    private readonly acted: () => void = () => {},
  ) {}

  /** Whether this person may lock and unlock. */
  get mayLock(): boolean {
    return this.standing() !== 'member';
  }

  /** Whether the lock holds this person too. */
  get fixed(): boolean {
    return this.locked && (this.standing() === 'open' || this.standing() === 'member');
  }

  /** Why nothing can be changed now. */
  get whyFixed(): string {
    return this.mayLock ? t.details.lockedNow : t.details.lockedByHost;
  }

  /** What the lock means here, or why this person cannot press it. */
  get lockHint(): string {
    const { standing, locked } = { standing: this.standing(), locked: this.locked };
    if (standing === 'member') return locked ? t.details.lockedByHost : t.details.hostsLock;
    if (locked) return t.details.unlockHint;
    return standing === 'open' ? t.details.lockHint : t.details.lockHintHost;
  }

  explain(why: string): void {
    this.notes.show(why);
  }

  show({ metadata, updatedAt, updatedBy }: RoomMetadata): void {
    this.#now = metadata;
    this.pins = pinsIn(metadata[PINS_KEY]);
    this.title = lineOf(metadata['title'], 200);
    this.mode = lineOf(metadata['mode'], 64);
    this.locked = metadata['locked'] === true;
    this.keys = Object.entries(metadata)
      .filter(([key]) => !OWN_PLACE.has(key))
      .map(([name, value]) => ({
        name,
        label: lineOf(name, 64) ?? t.details.nameless,
        text: lineOf(typeof value === 'string' ? value : JSON.stringify(value), VALUE_LETTERS) ?? '',
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.updatedAt = updatedAt;
    this.updatedBy = updatedBy;
  }

  /** Shows a change, and tells what somebody else did; what they did over one's own can be taken back. */
  changed(before: RoomMetadata, after: RoomMetadata, keys: readonly string[]): void {
    this.show(after);
    const over = this.#taken.take(before, after, keys, this.me());
    this.changes = this.#taken.list;
    if (after.updatedBy === this.me()) return;
    const name = this.nameOf(after.updatedBy);
    const mine = new Map(over.map((change) => [change.key, change]));
    const undo = (change: SettingChange | undefined) =>
      change === undefined ? null : { label: t.app.undo, run: () => void this.takeBack(change) };
    if (keys.includes('title')) {
      // Everybody cares for the title, whoever wrote it before.
      const words = this.title === null ? t.notes.titleRemoved(name) : t.notes.renamed(name);
      this.notes.show(words, undo(this.changes.find(({ key }) => key === 'title')), 'title');
    }
    if (keys.includes('locked')) {
      const words = this.locked ? t.notes.lockedBy(name) : t.notes.unlockedBy(name);
      this.notes.show(words, undo(mine.get('locked')), 'locked');
    }
    if (keys.includes('mode') && !keys.includes('title'))
      this.notes.show(t.notes.modeChanged(name), undo(mine.get('mode')), 'mode');
    for (const change of over) {
      if (OWN_PLACE.has(change.key)) continue;
      const key = lineOf(change.key, 64) ?? t.details.nameless;
      const words = change.to === undefined ? t.notes.keyRemoved(name, key) : t.notes.keyChanged(name, key);
      this.notes.show(words, undo(change), `key ${change.key}`);
    }
  }

  /** Whether what a change made is still there, so that it can be taken back. */
  stands(change: SettingChange): boolean {
    return stillStands(change, this.#now);
  }

  /** Puts back what was before a change, unless something else stands there by now. */
  async takeBack(change: SettingChange): Promise<void> {
    if (!this.stands(change)) return;
    const { key, from } = change;
    await this.change(from === undefined ? { unset: [key] } : { metadata: { [key]: from } });
  }

  async change(change: MetadataChange): Promise<void> {
    const lock = change.metadata?.['locked'];
    if (lock !== undefined && !this.mayLock) return this.explain(this.lockHint);
    if (this.fixed && lock !== false) return this.explain(this.whyFixed);
    this.acted();
    try {
      this.show(await this.backend.setMetadata(this.room, change));
    } catch (cause) {
      this.notes.show(sentenceOf(cause));
    }
  }

  async setText(key: 'title' | 'mode', text: string): Promise<void> {
    const value = text.trim();
    if (value === (this[key] ?? '')) return;
    await this.change(value === '' ? { unset: [key] } : { metadata: { [key]: value } });
  }
}
