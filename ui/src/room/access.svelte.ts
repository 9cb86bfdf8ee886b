/**
 * Who may do what in this room, for views to show and to change, and what is told when somebody changes it. In an open
 * room there is nothing of it.
 */
import type { Access, AccessChange, Backend, Keyholder } from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes } from '../app/notes.svelte';
import { keyholder, newsOf, powersOver, standingOf, type Powers, type Standing } from '../domain/access';
import { lineOf } from '../domain/line';
import { t } from '../i18n';

/** One decision may come in parts, such as a strike and then the key: they are told together. */
const TOGETHER_MS = 400;

export class RoomAccess {
  now = $state.raw<Access | null>(null);
  /** Whether only those come in who have a ticket. */
  isPrivate = $state(false);
  standing: Standing = $derived.by(() => standingOf(this.now, this.isPrivate, this.me()));
  isHost = $derived(this.standing === 'creator' || this.standing === 'host');
  #before: Access | null = null;

  constructor(
    private readonly backend: Backend,
    private readonly room: string,
    private readonly notes: Notes,
    readonly me: () => string,
    private readonly nameOf: (userId: string) => string,
    private readonly later: (run: () => void, wait: number) => void,
  ) {}

  show(access: Access | null): void {
    this.now = access;
    this.#before = null;
    if (access !== null) this.isPrivate = true;
  }

  /** Shows a change, and tells of it a moment later. */
  changed(before: Access | null, after: Access | null): void {
    const told = this.#before;
    this.show(after);
    this.#before = told ?? before;
    if (told === null && before !== null) this.later(() => this.#tell(), TOGETHER_MS);
  }

  of(userId: string): Keyholder | undefined {
    return keyholder(this.now, userId);
  }

  standingOf(userId: string): Standing {
    return standingOf(this.now, this.isPrivate, userId);
  }

  /** What somebody was called when they came in last. */
  nameThen(userId: string | null): string | null {
    return lineOf(userId === null ? null : this.of(userId)?.name, 48);
  }

  powersOver(userId: string): Powers {
    return powersOver(this.now, this.me(), userId);
  }

  /** Throws what the peer says against it. */
  async change(change: AccessChange): Promise<void> {
    await this.backend.changeAccess(this.room, change);
  }

  /** Tells what the peer says against it. */
  async tryChange(change: AccessChange): Promise<void> {
    await this.change(change).catch((cause: unknown) => this.notes.show(sentenceOf(cause)));
  }

  #tell(): void {
    const [before, after] = [this.#before, this.now];
    this.#before = null;
    if (before === null || after === null) return;
    const news = newsOf(before, after);
    const others = (users: readonly string[]) => users.filter((user) => user !== this.me()).map(this.nameOf);
    const me = (users: readonly string[]) => users.includes(this.me());
    if (news.keyBy !== null) {
      const by = news.keyBy === this.me() ? null : this.nameOf(news.keyBy);
      this.notes.show(t.access.keyChanged(by, others(news.out)));
    }
    const tellings = [
      [news.hosts, t.access.hostsNow, t.access.youAreHost],
      [news.noHosts, t.access.noHostsNow, t.access.youAreNoHost],
      [news.struck, t.access.struck, t.access.yoursStruck],
      [news.restored, t.access.restored, t.access.yoursRestored],
    ] as const;
    for (const [users, ofOthers, ofMe] of tellings) {
      if (me(users)) this.notes.show(ofMe);
      if (others(users).length > 0) this.notes.show(ofOthers(others(users)));
    }
  }
}
