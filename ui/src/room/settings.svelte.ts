/**
 * The room's shared settings as views show and change them. A locked room takes no change but unlocking: in an open room
 * that is a courtesy of this window, not a wall (design A6). In a private one only hosts lock, and change what is locked.
 */
import type { Backend, MetadataChange, RoomMetadata } from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes } from '../app/notes.svelte';
import type { Standing } from '../domain/access';
import { lineOf } from '../domain/line';
import { t } from '../i18n';

/** No string is longer (design A8), so nothing is cut that could then be saved. */
const VALUE_LETTERS = 2048;
/** These have a place of their own; the others are listed. */
const OWN_PLACE: ReadonlySet<string> = new Set(['title', 'mode', 'locked']);

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
  updatedAt = $state<string | null>(null);
  updatedBy = $state<string | null>(null);

  constructor(
    private readonly backend: Backend,
    private readonly room: string,
    private readonly notes: Notes,
    private readonly me: () => string,
    private readonly nameOf: (userId: string | null) => string,
    private readonly standing: () => Standing,
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

  /** Shows a change, and tells what somebody else did. */
  changed(before: RoomMetadata, after: RoomMetadata, keys: readonly string[]): void {
    this.show(after);
    if (after.updatedBy === this.me()) return;
    const name = this.nameOf(after.updatedBy);
    if (keys.includes('title')) {
      const title = before.metadata['title'];
      const theirs = after.metadata['title'];
      const undo = () => {
        // Only what is still theirs is taken back.
        if (this.title !== lineOf(theirs, 200)) return;
        void this.change(title === undefined ? { unset: ['title'] } : { metadata: { title } });
      };
      this.notes.show(this.title === null ? t.notes.titleRemoved(name) : t.notes.renamed(name), {
        label: t.app.undo,
        run: undo,
      });
    }
    if (keys.includes('locked')) this.notes.show(this.locked ? t.notes.lockedBy(name) : t.notes.unlockedBy(name));
    if (keys.includes('mode') && !keys.includes('title')) this.notes.show(t.notes.modeChanged(name));
  }

  async change(change: MetadataChange): Promise<void> {
    const lock = change.metadata?.['locked'];
    if (lock !== undefined && !this.mayLock) return this.explain(this.lockHint);
    if (this.fixed && lock !== false) return this.explain(this.whyFixed);
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
