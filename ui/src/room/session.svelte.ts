/**
 * One visit to one room: subscribes, joins, keeps what the views show, says what this person does, and leaves. Positions
 * never become reactive state: what moves goes straight to the board through `onHot`.
 */
import {
  applyBatch,
  emptyRoom,
  rowKey,
  toParlorError,
  type Backend,
  type Batch,
  type Change,
  type Member,
  type ParlorError,
  type ProfileChange,
  type RoomState,
  type Status,
  type Unsubscribe,
} from 'parlor-client';
import { sentenceOf } from '../app/app.svelte';
import type { Notes } from '../app/notes.svelte';
import { BoardView } from '../board/board-view.svelte';
import { SharedBoard } from '../board/shared-board.svelte';
import { chooseColour, mustPickAgain } from '../domain/colour';
import type { Device } from '../domain/device';
import { Outbox } from '../domain/outbox';
import { REACTION } from '../domain/message-types';
import { colourOf, nameOf, type Tool } from '../domain/seen';
import { t } from '../i18n';
import { forgetHere } from '../messages/here';
import { notifierOf, type Notifier } from '../messages/notifier';
import { RoomMessages } from '../messages/room-messages.svelte';
import { RoomAccess } from './access.svelte';
import { ConnectionState } from './connection.svelte';
import { Follow } from './follow.svelte';
import { PassingEvents, type EventListener } from './passing-events';
import { OwnPresence } from './own-presence.svelte';
import { HOT_KEYS, type Person } from './person';
import { Roster } from './roster.svelte';
import { RoomSettings } from './settings.svelte';
import { Tabs } from './tabs';

/** How long to wait for the people of a room before choosing a colour without knowing theirs. */
const FIRST_LOOK_MS = 1_500;
/** How long after entering the first settings of a room may still be on their way. */
const ARRIVES_MS = 5_000;
const NOT_SHOWN_EVERY_MS = 10_000;

/** Hears of everything that moves: who, and which of the hot keys; a null member is gone. */
export type HotListener = (key: string, member: Member | null, keys: readonly string[]) => void;

export class RoomSession {
  watching = $state(0);
  /** `out`: a host changed the key, and this person did not get the new one. */
  phase = $state<'entering' | 'in' | 'failed' | 'out'>('entering');
  error = $state.raw<ParlorError | null>(null);
  readonly roster = new Roster({
    members: () => this.#state.members,
    isSelf: (member) => this.#isSelf(member),
    later: (run, wait) => this.#later(run, wait),
    tell: (text, about) => this.notes.show(text, null, about),
    shown: () => this.follow.rowsChanged(),
  });
  readonly own = new OwnPresence((presence) => this.say(presence));
  /** Others who are in the room now. */
  others = $derived(this.people.filter((person) => !person.self && person.state !== 'left').length);
  readonly settings: RoomSettings;
  readonly access: RoomAccess;
  readonly messages: RoomMessages;
  readonly notifier: Notifier;
  readonly connection = new ConnectionState();
  readonly view = new BoardView();
  readonly outbox: Outbox;
  readonly follow: Follow;
  readonly board: SharedBoard;
  /** The pointer's points up to now are on their way. */
  onCursorSent: () => void = () => {};

  #state: RoomState;
  readonly #tabs: Tabs;
  readonly #listeners = new Set<HotListener>();
  readonly #events = new PassingEvents();
  #unsubscribe: Unsubscribe | null = null;
  #memberId: string | null = null;
  /** A join was sent, whether or not it was answered yet. */
  #asked = false;
  #colour = '';
  #closed = false;
  #enteredAt = -Infinity;
  #saidNotShownAt = -Infinity;
  #firstLook: () => void = () => {};
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly backend: Backend,
    readonly room: string,
    private readonly profile: () => Status,
    private readonly notes: Notes,
    /** What lets this person in the first time; the peer keeps what it needs of it. */
    private ticket: string | null = null,
  ) {
    this.#state = emptyRoom(room);
    this.#tabs = new Tabs(room);
    const me = () => this.profile().userId;
    const nameOf = (userId: string | null) => this.nameOf(userId);
    this.access = new RoomAccess(backend, room, notes, me, nameOf, (run, wait) => this.#later(run, wait));
    this.settings = new RoomSettings(backend, room, notes, me, nameOf, () => this.access.standing, () => this.follow.stop());
    this.notifier = notifierOf(backend);
    this.messages = new RoomMessages({
      backend,
      room,
      notes,
      settings: this.settings,
      notifier: this.notifier,
      me: profile,
      people: () => this.people,
    });
    this.onEvent(REACTION, (message) => this.messages.reactions.hear(message));
    this.outbox = new Outbox({
      pace: () => this.#state.paceMs,
      send: async (change) => {
        if (this.#memberId === null) return; // the join carries everything
        if ('cursor' in change.presence) this.onCursorSent();
        await this.backend.presence(room, change);
      },
      failed: (cause) => {
        if (toParlorError(cause).code === 'NOT_JOINED' && !this.#closed) void this.#joinAgain();
        else if (!this.#refused(cause)) this.#notShown(cause);
      },
    });
    this.follow = new Follow(this, notes);
    this.board = new SharedBoard({
      ...{ backend, room, me, nameOf, passing: notes, outbox: this.outbox },
      whyFixed: () => (this.settings.fixed ? this.settings.whyFixed : this.phase === 'in' ? null : t.board.notYet),
      acted: () => this.follow.stop(),
      self: () => this.me,
      isSelf: (member) => this.#isSelf(member),
    });
  }

  /** Whether only those come in who have a ticket. */
  get isPrivate(): boolean {
    return this.access.isPrivate;
  }

  /** A room of made-up people, in this window alone. */
  get isSample(): boolean {
    return this.backend.kind === 'sample';
  }

  /** Whether this page is a guest of somebody else's peer. */
  get isGuest(): boolean {
    return this.backend.kind === 'guest';
  }

  /** Whether this is a visit to a room at that peer. */
  isOf(backend: Backend, room: string): boolean {
    return this.backend === backend && this.room === room;
  }

  /** Everybody in the stable order, with those who left a moment ago. */
  get people(): readonly Person[] {
    return this.roster.people;
  }

  get me(): Person | null {
    return this.roster.me;
  }

  get members(): readonly Member[] {
    return this.#state.members;
  }

  async enter(): Promise<void> {
    this.phase = 'entering';
    this.error = null;
    this.#enteredAt = performance.now();
    try {
      // Before anything else: until it is used, the name stands for the open room that everybody sees.
      if (this.ticket !== null) await this.#joinWith(this.ticket);
      this.access.isPrivate = (await this.backend.createRoom(this.room)).private;
      const looked = new Promise<void>((resolve) => (this.#firstLook = resolve));
      this.#unsubscribe?.();
      this.#unsubscribe = await this.backend.subscribe(this.room, {
        batch: (batch) => this.#receive(batch),
        link: (up) => {
          this.connection.linked(up);
          if (up) this.board.notes.retry();
          if (up) this.messages.reachable();
          if (!up) void this.#stillIn();
        },
      });
      if (this.#closed || this.#isOut()) {
        this.#unsubscribe();
        return;
      }
      if (this.#memberId !== null) {
        this.phase = 'in';
        return;
      }
      // A hidden window is shown nothing, and joins all the same.
      await Promise.race([looked, new Promise((resolve) => this.#later(() => resolve(null), FIRST_LOOK_MS))]);
      if (this.#closed) return;
      this.#colour = chooseColour(this.profile().color, this.#coloursOfOthers());
      await this.#join().catch((cause: unknown) => {
        // Read-only because of a copy of the profile: this person looks on.
        if (toParlorError(cause).code !== 'IDENTITY_CLONED') throw cause;
      });
      this.phase = 'in';
    } catch (cause) {
      if (this.#closed || this.#refused(cause)) return;
      this.error = toParlorError(cause);
      this.phase = 'failed';
    }
  }

  /** Without a word: the peer has begun another session, in which this visit never was. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tabs.close();
    this.#unsubscribe?.();
    this.follow.close();
    this.board.close();
    this.outbox.close();
    this.messages.close();
    this.connection.close();
    this.#timers.forEach(clearTimeout);
  }

  /** For good; also sent by a page that is about to go. */
  async leave(): Promise<void> {
    if (this.#closed) return;
    const last = this.#tabs.alone;
    this.end();
    if (this.isSample) forgetHere(this.profile().userId, this.room);
    if (this.#asked && last) await this.backend.leave(this.room).catch(() => {}); // it leaves by its lease then
  }

  onHot(listener: HotListener): () => void {
    this.#listeners.add(listener);
    for (const member of this.#state.members) listener(rowKey(member), member, [...HOT_KEYS]);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Hears messages of one type that are said and not kept, this person's own included; returns what ends it. Whose it is:
   * `rowKey(message)` is the key of a person in `people`. In a component:
   *
   *     $effect(() => session.onEvent(GATHER, (message) => ask(message)));
   */
  onEvent(type: string, listener: EventListener): () => void {
    return this.#events.on(type, listener);
  }

  /** Says something to everybody who is here now; nobody keeps it. Throws what went wrong. */
  async tell(type: string, data: unknown): Promise<void> {
    await this.backend.publish(this.room, { type, data });
  }

  memberOf(key: string): Member | undefined {
    return this.#state.members.find((member) => rowKey(member) === key);
  }

  nameOf(userId: string | null): string {
    const here = this.people.find((person) => person.userId === userId);
    return here?.name ?? this.access.nameThen(userId) ?? t.notes.somebody;
  }

  /** What each session that has somebody in this room calls them. */
  async namesBySession(): Promise<ReadonlyMap<string, string>> {
    const { members } = await this.backend.members(this.room, { by: 'session', limit: 256 });
    const named = (member: Member) => nameOf(member.presence, member.actor.name || member.memberId);
    // A guest's session is that of whose peer they are on, and is called by that person's name.
    const own = members.filter(({ actor }) => actor.kind === 'user');
    return new Map(own.flatMap((row) => (row.sessions ?? []).map(({ sessionId }) => [sessionId, named(row)] as const)));
  }

  /** Says something about this person that others wait for; `undefined` takes it back. */
  say(presence: Record<string, unknown>): void {
    this.outbox.setNow(presence);
  }

  /** Which session of this person is this window's. */
  get sessionId(): string {
    return this.profile().sessionId;
  }

  /** This person's device has another name: said with a join, which changes nothing else. */
  async setDevice(device: Device): Promise<void> {
    this.own.device = device;
    if (this.#memberId !== null) await this.#join();
  }

  get tool(): Tool {
    return this.own.tool;
  }

  setTool(tool: Tool): void {
    this.own.setTool(tool);
  }

  /** Says something about the status and nothing about membership, which never changes by it. */
  setAway(away: boolean): void {
    if (this.own.setAway(away)) this.messages.setAway(away);
  }

  /** Tries to reach the peer, and the people behind it, now. */
  retry(): void {
    this.backend.retry?.();
    void this.backend
      .peers()
      .then((peers) =>
        Promise.allSettled(
          peers.flatMap(({ addresses }) => addresses.slice(0, 1).map((addr) => this.backend.dial(addr))),
        ),
      )
      .catch(() => {});
  }

  profileChanged(change: ProfileChange): void {
    if (change.color !== undefined) this.#colour = change.color;
    const { name, color } = change;
    this.outbox.setNow({ ...(name !== undefined ? { name } : {}), ...(color !== undefined ? { color } : {}) });
  }

  /** In without having seen whose colours are taken; a colour that is, is given up with the first look. */
  async #joinWith(ticket: string): Promise<void> {
    this.#colour = chooseColour(this.profile().color, []);
    await this.#join(ticket);
    this.ticket = null;
  }

  async #join(ticket: string | null = null): Promise<void> {
    const { name } = this.profile();
    const { x, y, w, h, zoom } = this.view.viewport;
    const presence = {
      name,
      color: this.#colour,
      viewport: { x, y, zoom, w, h },
      ...this.own.presence,
      ...this.follow.presence,
      ...this.board.presence,
    };
    this.#asked = true;
    const metadata = this.own.metadata(this.#state.members.find((member) => this.#isSelf(member))?.metadata);
    const args = {
      presence,
      ...(metadata === null ? {} : { metadata }),
      ...(ticket === null ? {} : { ticket }),
    };
    const record = await this.backend.join(this.room, args).catch((cause: unknown) => {
      // A refusal joined nothing, and what this person joined elsewhere stays.
      if (['INVALID_TICKET', 'FORBIDDEN'].includes(toParlorError(cause).code)) this.#asked = false;
      throw cause;
    });
    this.#memberId = record.memberId;
    this.roster.show();
  }

  async #joinAgain(): Promise<void> {
    await this.#join().catch((cause: unknown) => this.#refused(cause)); // what else it may be, the next batch tries again
  }

  /** A feed of a private room may end because this person is out, and asking tells. */
  async #stillIn(): Promise<void> {
    if (this.access.isPrivate) await this.backend.access(this.room).catch((cause: unknown) => this.#refused(cause));
  }

  /** True when it says that this person is out. Nothing is tried again then: only a new ticket lets them in. */
  #refused(cause: unknown): boolean {
    if (toParlorError(cause).code !== 'FORBIDDEN') return false;
    this.#putOut();
    return true;
  }

  /** Others do not see what this person did just now: said once in a while, since a cursor asks often. */
  #notShown(cause: unknown): void {
    const { code } = toParlorError(cause);
    const now = performance.now();
    // A peer that cannot be reached has a bar of its own, and a copied profile too.
    if (
      !(code.startsWith('INVALID_') || code === 'PAYLOAD_TOO_LARGE') ||
      now - this.#saidNotShownAt < NOT_SHOWN_EVERY_MS
    )
      return;
    this.#saidNotShownAt = now;
    this.notes.show(sentenceOf(cause));
  }

  #isOut(): boolean {
    return this.phase === 'out';
  }

  #putOut(): void {
    if (this.#closed) return;
    this.phase = 'out';
    this.watching = 0;
    this.notes.clear();
    this.#asked = false;
    this.#memberId = null;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.follow.close();
    this.board.close();
    this.outbox.close();
    this.messages.close();
    this.connection.close();
    this.#timers.forEach(clearTimeout);
  }

  #receive(batch: Batch): void {
    if (this.#closed || this.#isOut()) return;
    const before = this.#state;
    const { state, changes } = applyBatch(before, batch);
    this.#state = state;
    let cold = false;
    for (const change of changes) cold = this.#take(change) || cold;
    if (this.#isOut()) return;
    if (!state.filling) this.board.notes.complete();
    this.watching = state.watching;
    const others = state.members.filter((member) => !this.#isSelf(member));
    this.connection.people(others.length, others.filter((member) => member.state === 'active').length, state.complete);
    if (cold) {
      this.roster.show();
      this.#minds();
    }
    if (state.ready && !before.ready) this.#firstLook();
  }

  /** True when rows have to be made anew. */
  #take(change: Change): boolean {
    switch (change.type) {
      case 'snapshot':
        this.roster.anew();
        this.settings.show(this.#state.metadata);
        this.access.show(this.#state.access);
        void this.messages.load();
        this.board.notes.snapshot();
        this.board.hear('', null, []);
        for (const member of this.#state.members) this.board.hear(rowKey(member), member, [...HOT_KEYS]);
        for (const listener of this.#listeners) {
          listener('', null, []);
          for (const member of this.#state.members) listener(rowKey(member), member, [...HOT_KEYS]);
        }
        return true;
      case 'joined':
      case 'state': {
        this.#tell(rowKey(change.member), change.member, [...HOT_KEYS]);
        this.roster.came(change.member, change.type === 'joined' && change.arrived && this.phase === 'in');
        return true;
      }
      case 'updated': {
        const key = rowKey(change.member);
        this.#tell(key, change.member, change.keys);
        if (change.keys.every((name) => HOT_KEYS.has(name))) return false;
        this.roster.changed(key);
        return true;
      }
      case 'left': {
        this.#tell(rowKey(change.member), null, []);
        if (!this.#isSelf(change.member)) this.roster.went(change.member, change.reason);
        else if (change.reason === 'excluded') this.#putOut();
        return true;
      }
      case 'metadata':
        // What was so before this person came is no news, however late it arrives.
        if (change.before.updatedAt === null && performance.now() < this.#enteredAt + ARRIVES_MS)
          this.settings.show(this.#state.metadata);
        else this.settings.changed(change.before, this.#state.metadata, change.keys);
        return false;
      case 'access':
        this.access.changed(change.before, this.#state.access);
        return false;
      case 'board':
        this.board.take(change);
        return false;
      case 'message':
        if (change.message.kept) this.messages.hear(change.message);
        else this.#events.pass(change.message);
        return false;
      default:
        return false;
    }
  }

  #tell(key: string, member: Member | null, keys: readonly string[]): void {
    for (const listener of this.#listeners) listener(key, member, keys);
    this.follow.hear(key, keys);
    this.board.hear(key, member, keys);
  }

  /** Keeps the own row right: joined while this window wants to be, and with a colour that nobody else has. */
  #minds(): void {
    if (this.#memberId === null || this.#closed) return;
    const mine = this.#state.members.find((member) => this.#isSelf(member));
    if (mine === undefined) {
      // The lease ran out while the page slept, or the peer started anew.
      if (this.phase === 'in' && !this.#state.filling) void this.#joinAgain();
      return;
    }
    const claim = (member: Member) => ({
      id: member.memberId,
      colour: colourOf(member.presence, member.actor.userId),
      joinedAt: member.joinedAt,
    });
    const others = this.#state.members.filter((member) => member !== mine && member.presence['color'] !== undefined);
    if (claim(mine).colour === this.#colour && mustPickAgain(claim(mine), others.map(claim))) {
      const again = chooseColour(null, this.#coloursOfOthers());
      if (again === this.#colour || this.#coloursOfOthers().includes(again)) return; // more people than colours
      this.#colour = again;
      this.outbox.setNow({ color: again });
    }
  }

  #coloursOfOthers(): string[] {
    return this.#state.members
      .filter((member) => !this.#isSelf(member))
      .map((member) => colourOf(member.presence, member.actor.userId));
  }

  #isSelf(member: Member): boolean {
    return (
      member.actor.userId === this.profile().userId && (this.#memberId === null || member.memberId === this.#memberId)
    );
  }

  #later(run: () => unknown, wait: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, wait);
    this.#timers.add(timer);
  }
}
