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
  type TicketInfo,
  type Unsubscribe,
  type WindowStatus,
} from 'parlor-client';
import { systemOf, type Device } from '../domain/device';
import { lineOf } from '../domain/line';
import { ticketIn } from '../domain/ticket';
import { t, type Language } from '../i18n';
import { RoomSession } from '../room/session.svelte';
import { Actions } from './actions.svelte';
import { Notes } from './notes.svelte';
import { Settings, type Privacy } from './settings.svelte';
import { applyTheme } from './theme';

/** Why a guest is not in the room. */
export type Over = 'ended' | 'left' | 'away';

export type Screen =
  | { readonly name: 'loading' }
  | { readonly name: 'failed'; readonly error: ParlorError }
  | { readonly name: 'firstRun' }
  | { readonly name: 'home'; readonly focus: 'start' | 'join' | null }
  | { readonly name: 'room'; readonly session: RoomSession }
  /** Of a guest: there is no other place to go. */
  | { readonly name: 'over'; readonly why: Over };

/** A ticket that was read and not used yet. */
export interface Question {
  readonly ticket: string;
  readonly info: TicketInfo;
}

/** Status is polled: what it tells (network, links) has no feed of its own. */
const STATUS_EVERY_MS = 3_000;
const ANSWERS_WITHIN_MS = 3_000;
/** A guest's page has no other peer to wait for: one that is not reached for so long is told of as gone. */
const GONE_AFTER_MS = 20_000;
/** Who refuses at once is there and shares nothing any more: what is shared anew has another link. */
const REFUSED_WITHIN_MS = 1_000;
const REFUSED_AFTER_MS = 2_500;

export class App {
  status = $state.raw<WindowStatus | null>(null);
  screen = $state.raw<Screen>({ name: 'loading' });
  /** Whether the window has a menu bar. */
  menuBar = $state(false);
  /** What the person is asked before a ticket is used. */
  question = $state.raw<Question | null>(null);
  /** A room was made to invite people into: what lets them in is shown as soon as one is there. */
  inviting = $state(false);
  /** Whether the network is being looked at. */
  checking = $state(false);
  readonly notes = new Notes();
  readonly settings = new Settings();
  readonly actions = new Actions();
  #poll: ReturnType<typeof setInterval> | undefined;
  #asking = false;
  #told: Unsubscribe | undefined;
  #unreachedSince: number | null = null;
  /** A room to enter, or a ticket to ask about, as soon as the person has a name. */
  #wanted: string | null;

  constructor(
    readonly backend: Backend,
    room: string | null,
  ) {
    this.#wanted = room;
  }

  /** Whether this page is a guest of somebody else's peer, in one room and with nothing beside it. */
  get isGuest(): boolean {
    return this.backend.kind === 'guest';
  }

  get wanted(): string | null {
    return this.#wanted;
  }

  /** The room that is open, if one is. */
  get session(): RoomSession | null {
    return this.screen.name === 'room' ? this.screen.session : null;
  }

  async start(): Promise<void> {
    this.screen = { name: 'loading' };
    try {
      const status: WindowStatus = await this.backend.status();
      this.#learn(status);
      this.menuBar = status.menuBar === true;
      this.#wanted ??= status.openRoom ?? (await this.#roomOfLastTime());
    } catch (cause) {
      this.screen = { name: 'failed', error: toParlorError(cause) };
      return;
    }
    this.#told ??= this.backend.onOver?.(() => this.#over());
    clearInterval(this.#poll);
    this.#poll = setInterval(() => void this.#refresh(), STATUS_EVERY_MS);
    if (this.status?.named === false) this.screen = { name: 'firstRun' };
    else await this.goOn();
  }

  home(focus: 'start' | 'join' | null = null): void {
    this.screen = { name: 'home', focus };
  }

  /** A room with made-up people that nobody else sees; nothing of it stays. */
  async trySample(): Promise<void> {
    if (this.status === null) return;
    const { sampleBackend, SAMPLE_ROOM } = await import('../sample');
    const session = this.#visit(sampleBackend({ self: this.status, words: t.sample }), SAMPLE_ROOM);
    this.settings.set({ last: null });
    this.screen = { name: 'room', session };
    await session.enter();
  }

  setLanguage(language: Language | null): Promise<void> {
    this.settings.set({ language });
    return this.settings.speak();
  }

  /** What this window runs on, and what its person calls it. */
  get device(): Device {
    const { kind } = this.backend;
    const app = kind === 'desktop' ? 'window' : kind === 'web' || kind === 'guest' ? 'browser' : null;
    const system = typeof navigator === 'undefined' ? null : systemOf(navigator);
    return { system, app, name: this.settings.device };
  }

  async setDeviceName(name: string): Promise<void> {
    const device = name.trim() === '' ? null : name.trim();
    if (device === this.settings.device) return;
    this.settings.set({ device });
    if (this.session?.isSample === false) await this.session.setDevice(this.device);
  }

  setPrivacy(change: Partial<Privacy>): void {
    this.settings.set(change);
    this.session?.own.setPrivacy(this.settings.privacy);
  }

  /** To what was asked for before the person had a name, else home. */
  async goOn(focus: 'start' | 'join' | null = null): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = null;
    const ticket = this.isGuest ? null : ticketIn(wanted ?? '');
    if (wanted !== null && ticket === null) return this.enter(wanted);
    this.home(focus);
    if (ticket !== null) await this.ask(ticket).catch((cause: unknown) => this.complain(cause));
  }

  async saveProfile(change: ProfileChange): Promise<void> {
    this.#learn(await this.backend.setProfile(change));
    if (this.screen.name === 'room') this.screen.session.profileChanged(change);
  }

  /** Makes the person somebody new. A room that is open is entered again as who they are then. */
  async becomeSomebodyNew(): Promise<void> {
    this.#learn(await this.backend.newIdentity());
    this.notes.show(t.cloned.done);
  }

  /** Opens a room; what goes wrong is shown in the room's own place, with a way back. */
  async enter(room: string): Promise<void> {
    if (this.status === null) return;
    const session = this.#visit(this.backend, room);
    this.#show(session);
    await session.enter();
  }

  /** A room or a ticket that came from outside: taken up at once, or as soon as the person has a name. */
  asked(wanted: string): void {
    if (this.screen.name !== 'room' && this.screen.name !== 'home') {
      this.#wanted = wanted;
      return;
    }
    const ticket = ticketIn(wanted);
    if (ticket !== null) void this.ask(ticket).catch((cause: unknown) => this.complain(cause));
    else if (this.screen.name === 'home' || !this.screen.session.isOf(this.backend, wanted)) void this.enter(wanted);
  }

  /** Makes a room and enters it; a private one is its person's alone until a ticket is given away. */
  async make(room: string, access: 'open' | 'private'): Promise<void> {
    if (access === 'private') await this.backend.createRoom(room, { private: true });
    await this.enter(room);
  }

  /** Makes a private room beside one that anybody on the network sees, enters it and shows what lets others in. */
  async makeToInvite(besides: string): Promise<void> {
    await this.make(t.invite.privateName(besides), 'private');
    this.inviting = this.session?.phase === 'in';
  }

  /** Reads a ticket and asks whether to use it. Throws what is wrong with it. */
  async ask(ticket: string): Promise<void> {
    this.question = { ticket, info: await this.backend.readTicket(ticket) };
  }

  /** Uses the ticket that was asked about. The room is shown once one is in it; until then nothing has changed. */
  async accept(): Promise<void> {
    const { question, screen } = this;
    if (question === null || this.status === null) return;
    const { ticket, info } = question;
    if (screen.name === 'room' && screen.session.isOf(this.backend, info.room) && screen.session.phase === 'in') {
      // It is the room that is shown, or another of its name, which the peer refuses.
      await this.backend.join(info.room, { ticket });
      this.refuse(question);
      return;
    }
    const session = this.#visit(this.backend, info.room, ticket);
    await session.enter();
    if (session.error !== null || this.question !== question) {
      void session.leave();
      if (session.error !== null) throw session.error;
      return;
    }
    this.question = null;
    this.#show(session);
  }

  /** Lets a question go, unless another took its place. */
  refuse(question: Question): void {
    if (this.question === question) this.question = null;
  }

  async leave(): Promise<void> {
    if (this.screen.name !== 'room') return;
    const { session } = this.screen;
    // Whoever left a room on purpose does not want it at the next start.
    this.settings.set({ last: null });
    // What was told of the room would stand over another place.
    this.notes.clear();
    if (this.isGuest) this.#leaveFor('left');
    else this.home();
    await session.leave();
    if (!this.isGuest && !session.isSample) await this.#tellIfShared(session.room, session.settings.title);
  }

  /** A room that its person left is still shared to browsers, and nothing on the screen shows it. */
  async #tellIfShared(room: string, title: string | null): Promise<void> {
    const share = await this.backend.share(room).catch(() => null);
    if (share === null) return;
    const end = () =>
      void this.backend.changeShare(room, { on: false }).catch((cause: unknown) => this.complain(cause));
    const name = lineOf(title, 60) ?? lineOf(room, 60) ?? t.room.untitled;
    this.notes.show(t.share.still(name), { label: t.share.end, run: end });
  }

  /** Tells what went wrong where there is no better place for it. */
  complain(cause: unknown): void {
    this.notes.show(sentenceOf(cause));
  }

  /** Nobody is a guest here any more. */
  #over(): void {
    this.session?.end();
    this.notes.clear();
    this.#leaveFor('ended');
  }

  /** Who shares the room was not reached just now. */
  #unreached(cause: unknown, askedAt: number): void {
    if (toParlorError(cause).code === 'UNAUTHORIZED') return this.#over();
    const now = performance.now();
    const online = typeof navigator === 'undefined' || navigator.onLine;
    const patience = online && now - askedAt < REFUSED_WITHIN_MS ? REFUSED_AFTER_MS : GONE_AFTER_MS;
    this.#unreachedSince ??= now;
    if (now - this.#unreachedSince < patience) return;
    this.session?.end();
    this.#leaveFor('away');
  }

  #leaveFor(why: Over): void {
    clearInterval(this.#poll);
    this.#unreachedSince = null;
    this.screen = { name: 'over', why };
  }

  #visit(backend: Backend, room: string, ticket: string | null = null): RoomSession {
    const session = new RoomSession(backend, room, () => this.status as Status, this.notes, ticket);
    session.own.setPrivacy(this.settings.privacy);
    if (!session.isSample) session.own.device = this.device;
    return session;
  }

  #show(session: RoomSession): void {
    this.notes.clear();
    this.screen = { name: 'room', session };
    this.settings.set({ last: session.room });
  }

  /** The room in which the window was closed, as long as the profile still knows it. */
  async #roomOfLastTime(): Promise<string | null> {
    const { openLast, last } = this.settings;
    if (!openLast || last === null) return null;
    const rooms = await this.backend.rooms().catch(() => []);
    return rooms.some(({ room }) => room === last) ? last : null;
  }

  #learn(status: WindowStatus): void {
    const before = this.status;
    this.status = status;
    this.settings.of(status.userId);
    // What the browser asks for is spoken already.
    if (before === null && this.settings.language !== null) void this.settings.speak();
    applyTheme(status.theme);
    if (before === null) return;
    if (before.cloned !== null && status.cloned === null && before.userId === status.userId)
      this.notes.say(t.cloned.over);
    // The members and feeds of a session end with it.
    if (before.sessionId !== status.sessionId && this.screen.name === 'room' && !this.screen.session.isSample) {
      this.screen.session.end();
      void this.enter(this.screen.session.room);
    }
  }

  async #refresh(): Promise<void> {
    if (document.hidden || this.#asking) return;
    this.#asking = true;
    const askedAt = performance.now();
    // A peer that hangs closes nothing: that it does not answer is all there is to see of it.
    const answers = (up: boolean) => {
      if (this.session?.isSample === false) this.session.connection.answers(up);
    };
    const late = setTimeout(() => answers(false), ANSWERS_WITHIN_MS);
    try {
      this.#learn(await this.backend.status());
      answers(true);
      this.#unreachedSince = null;
    } catch (cause) {
      if (this.isGuest) this.#unreached(cause, askedAt);
      // The connection bar of a room and the lists of the home screen tell about a peer that is away.
    } finally {
      clearTimeout(late);
      this.#asking = false;
    }
  }
}

/** A sentence for a person: ours where there is one, else the peer's. */
export function sentenceOf(cause: unknown): string {
  const error = toParlorError(cause);
  return t.errors[error.code] ?? t.peerSays(error.message);
}
