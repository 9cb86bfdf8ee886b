/**
 * Whom this window follows, and who follows it. While it follows, its view glides after theirs. That ends when this person
 * moves the view or draws, on Esc, and with a word why when the other leaves or does not want it any more (reports W1).
 */
import type { Member, RowKey } from 'parlor-client';
import type { Notes } from '../app/notes.svelte';
import type { BoardView } from '../board/board-view.svelte';
import { glide, leadsBack, lookingWith } from '../domain/follow';
import { viewportOf } from '../domain/seen';
import { t } from '../i18n';
import type { Person } from './person';

/** What following needs of a visit to a room. */
export interface Visit {
  readonly view: BoardView;
  readonly people: readonly Person[];
  readonly me: Person | null;
  memberOf(key: RowKey): Member | undefined;
  say(presence: Record<string, unknown>): void;
}

/** A frame that comes after a pause is no leap. */
const FRAME_MAX_MS = 100;

export class Follow {
  whom = $state.raw<Person | null>(null);
  /** Others who follow this person now. */
  followers = $state.raw<readonly Person[]>([]);
  /** They follow each other, so nobody moves. */
  still = $state(false);
  #frame = 0;
  #at = 0;

  constructor(
    private readonly visit: Visit,
    private readonly notes: Notes,
  ) {
    visit.view.onChange((own) => own && this.stop());
  }

  /** Follows somebody; whoever is followed already is let go. */
  toggle(person: Person): void {
    if (this.whom?.key === person.key) this.stop();
    else this.start(person);
  }

  start(person: Person): void {
    if (person.self || person.state === 'left') return;
    if (!person.letsFollow) {
      this.notes.show(t.follow.refused(person.name));
      return;
    }
    this.whom = person;
    this.visit.say({ following: person.memberId });
    this.notes.say(t.follow.following(person.name));
    this.#look();
  }

  /** Own doing needs no word. */
  stop(why: 'own' | 'left' | 'refused' = 'own'): void {
    const { whom } = this;
    if (whom === null) return;
    this.whom = null;
    this.still = false;
    this.#rest();
    this.visit.say({ following: undefined });
    if (why !== 'own') this.notes.show(why === 'left' ? t.follow.left(whom.name) : t.follow.refuses(whom.name));
  }

  /** For the first frame of a visit that is entered again. */
  get presence(): Record<string, unknown> {
    return this.whom === null ? {} : { following: this.whom.memberId };
  }

  /** Rows changed: somebody left, follows, or does not want to be followed. */
  rowsChanged(): void {
    const { people, me } = this.visit;
    const before = new Set(this.followers.map((person) => person.key));
    const follows = (person: Person) =>
      me !== null && !person.self && person.state !== 'left' && person.following === me.memberId;
    const followers = people.filter(follows);
    if (followers.length !== before.size || followers.some((person) => !before.has(person.key))) {
      for (const person of followers) if (!before.has(person.key)) this.notes.say(t.follow.followsYou([person.name]));
      this.followers = followers;
    }
    const { whom } = this;
    if (whom === null) return;
    const now = people.find((person) => person.key === whom.key);
    if (now === undefined || now.state === 'left') return this.stop('left');
    if (!now.letsFollow) return this.stop('refused');
    this.whom = now;
    const byId = (memberId: string) =>
      people.find((one) => one.memberId === memberId && one.state !== 'left')?.following ?? null;
    // W2
    this.still = me !== null && leadsBack(me.memberId, now.memberId, byId);
    this.#look();
  }

  /** Somebody's presence changed. */
  hear(key: RowKey, keys: readonly string[]): void {
    if (key === this.whom?.key && keys.includes('viewport')) this.#look();
  }

  close(): void {
    this.whom = null;
    this.#rest();
  }

  /** Begins to move, unless it does already. */
  #look(): void {
    if (this.#frame !== 0 || this.whom === null || this.still) return;
    this.#at = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#step(now));
  }

  #step(now: number): void {
    this.#frame = 0;
    const theirs = this.whom === null ? undefined : this.visit.memberOf(this.whom.key);
    const viewport = theirs === undefined ? null : viewportOf(theirs.presence);
    if (viewport === null || this.still) return;
    const { view } = this.visit;
    const goal = lookingWith(viewport, view.size);
    const elapsed = Math.min(FRAME_MAX_MS, Math.max(1, now - this.#at));
    this.#at = now;
    const next = matchMedia('(prefers-reduced-motion: reduce)').matches
      ? goal
      : glide(view.camera, goal, view.size, elapsed);
    view.look(next, false);
    if (next !== goal) this.#frame = requestAnimationFrame((later) => this.#step(later));
  }

  #rest(): void {
    if (this.#frame !== 0) cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
