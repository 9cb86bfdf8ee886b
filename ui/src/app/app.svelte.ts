/**
 * What the window shows as a whole: which peer it talks to, who its person is, and which screen is open. Screens get this
 * object and nothing global.
 */
import {
  toParlorError,
  type Backend,
  type ParlorError,
  type ProfileChange,
  type Status,
  type WindowStatus,
} from 'parlor-client';
import { t } from '../i18n';
import { RoomSession } from '../room/session.svelte';
import { Notes } from './notes.svelte';
import { applyTheme } from './theme';

export type Screen =
  | { readonly name: 'loading' }
  | { readonly name: 'failed'; readonly error: ParlorError }
  | { readonly name: 'firstRun' }
  | { readonly name: 'home'; readonly focus: 'start' | 'join' | null }
  | { readonly name: 'room'; readonly session: RoomSession };

/** Status is polled: what it tells (network, links) has no feed of its own. */
const STATUS_EVERY_MS = 3_000;

export class App {
  status = $state.raw<Status | null>(null);
  screen = $state.raw<Screen>({ name: 'loading' });
  readonly notes = new Notes();
  #poll: ReturnType<typeof setInterval> | undefined;
  /** A room to enter as soon as the person has a name. */
  #wanted: string | null;

  constructor(
    readonly backend: Backend,
    room: string | null,
  ) {
    this.#wanted = room;
  }

  get wanted(): string | null {
    return this.#wanted;
  }

  async start(): Promise<void> {
    this.screen = { name: 'loading' };
    try {
      const status: WindowStatus = await this.backend.status();
      this.#learn(status);
      this.#wanted ??= status.openRoom ?? null;
    } catch (cause) {
      this.screen = { name: 'failed', error: toParlorError(cause) };
      return;
    }
    clearInterval(this.#poll);
    this.#poll = setInterval(() => void this.#refresh(), STATUS_EVERY_MS);
    if (this.status?.named === false) this.screen = { name: 'firstRun' };
    else if (this.#wanted !== null) await this.enter(this.#wanted);
    else this.home();
  }

  home(focus: 'start' | 'join' | null = null): void {
    this.screen = { name: 'home', focus };
  }

  async saveProfile(change: ProfileChange): Promise<void> {
    this.#learn(await this.backend.setProfile(change));
    if (this.screen.name === 'room') this.screen.session.profileChanged(change);
  }

  /** Opens a room; what goes wrong is shown in the room's own place, with a way back. */
  async enter(room: string): Promise<void> {
    if (this.status === null) return;
    this.#wanted = null;
    const session = new RoomSession(this.backend, room, () => this.status as Status, this.notes);
    this.screen = { name: 'room', session };
    await session.enter();
  }

  /** A room that was asked for from outside, at once or as soon as the person has a name. */
  asked(room: string): void {
    if (this.screen.name === 'room' && this.screen.session.room === room) return;
    if (this.screen.name === 'room' || this.screen.name === 'home') void this.enter(room);
    else this.#wanted = room;
  }

  async leave(): Promise<void> {
    if (this.screen.name !== 'room') return;
    const { session } = this.screen;
    this.home();
    await session.leave();
  }

  /** Tells what went wrong where there is no better place for it. */
  complain(cause: unknown): void {
    this.notes.show(sentenceOf(cause));
  }

  #learn(status: Status): void {
    this.status = status;
    applyTheme(status.theme);
  }

  async #refresh(): Promise<void> {
    if (document.hidden) return;
    try {
      this.#learn(await this.backend.status());
    } catch {
      // The connection bar of a room and the lists of the home screen tell about a peer that is away.
    }
  }
}

/** A sentence for a person: ours where there is one, else the peer's. */
export function sentenceOf(cause: unknown): string {
  const error = toParlorError(cause);
  return t.errors[error.code] ?? error.message;
}
