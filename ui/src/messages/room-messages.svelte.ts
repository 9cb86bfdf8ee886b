/**
 * The messages of one visit to a room: what is kept of them, page by page and as they are said; which of them this person
 * has read; what they say themselves. Views show this and hold nothing of it.
 */
import type { Backend, Message } from 'parlor-client';
import type { Notes } from '../app/notes.svelte';
import { whileAway, type WhileAway } from '../domain/away';
import { compareMessages, mergeMessages, shownFrom } from '../domain/message-log';
import { MessageOutbox, type Pending } from '../domain/message-outbox';
import { chatIn, withPin } from '../domain/message-types';
import { callsMe, type Callable } from '../domain/mentions';
import { ReadMarks } from '../domain/read-marks';
import { t } from '../i18n';
import type { Person } from '../room/person';
import type { RoomSettings } from '../room/settings.svelte';
import { Absence } from './absence';
import { draftOf, keepDraft, storeHere } from './here';
import { MessageNews } from './message-news';
import { MessagePages } from './message-pages';
import type { Notifier } from './notifier';
import { PassingReactions } from './passing-reactions.svelte';
import { peopleByKey, writerOf, type Writer } from './writer';

const PEEK = 30;
const SAVE_AFTER_MS = 400;
/** What came while one was away is told when most of it is there. */
const TELL_AFTER_MS = 1_200;

export interface MessagesWorld {
  readonly backend: Backend;
  readonly room: string;
  readonly notes: Notes;
  readonly settings: RoomSettings;
  readonly notifier: Notifier;
  /** The user id and the name of this window's person. */
  me(): { readonly userId: string; readonly name: string };
  people(): readonly Person[];
}

export class RoomMessages {
  /** What can be shown, oldest first. */
  log = $state.raw<readonly Message[]>([]);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  /** Whether there are older ones to load. */
  older = $state<'more' | 'loading' | 'failed' | 'none'>('none');
  pending = $state.raw<readonly Pending[]>([]);
  /** Words of others that this person has not read, oldest first. */
  unread = $state.raw<readonly Message[]>([]);
  /** Those that were unread when this person began to look: they stay marked while they are read. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  away = $state.raw<WhileAway | null>(null);
  /** The panel is open. */
  open = $state(false);
  /** A message to show; another object each time. */
  wanted = $state.raw<{ readonly id: string } | null>(null);
  draft = $state('');
  replyTo = $state<string | null>(null);
  /** The composer is asked for. */
  composing = $state(false);
  /** Whether the window has this person's attention. */
  looking = $state(true);
  readonly reactions = new PassingReactions();
  readonly people = $derived.by(() => peopleByKey(this.world.people()));
  /** Everybody who can be called by name: those in the room, and those who said something. */
  #names = $derived.by(() => JSON.stringify(this.#callable()));
  /** Another list only when a name changed, so that texts are not cut anew whenever somebody moves. */
  readonly callable = $derived.by(() => JSON.parse(this.#names) as readonly Callable[]);
  readonly mentions = $derived(this.unread.filter((message) => this.concernsMe(message)).length);
  readonly byId = $derived(new Map(this.log.map((message) => [message.id, message])));

  /** The pinned messages, the newest pin first; those that are not kept any more are pinned to nothing. */
  readonly pins = $derived.by(() =>
    this.world.settings.pins.flatMap((id) => this.byId.get(id) ?? []),
  );

  get pinned(): number {
    return this.world.settings.pins.length;
  }

  #all: readonly Message[] = [];
  #reading: Promise<void> | null = null;
  #readAgain = false;
  #atEnd = false;
  #closed = false;
  readonly #pages: MessagePages;
  readonly #marks: ReadMarks;
  readonly #outbox: MessageOutbox;
  readonly #absence = new Absence();
  readonly #news: MessageNews;
  /** The note that tells of it. */
  #note = '';
  #save: ReturnType<typeof setTimeout> | undefined;
  #tell: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly world: MessagesWorld) {
    const { backend, room, notes, notifier } = world;
    const { userId } = world.me();
    this.#marks = new ReadMarks(storeHere(), userId, room);
    this.draft = draftOf(userId, room);
    if (this.#marks.leftAt !== null) {
      this.#absence.goes(this.#marks.leftAt);
      this.#absence.comes();
    }
    this.#pages = new MessagePages(
      (query) => backend.history(room, query),
      (messages) => this.#take(messages),
    );
    this.#outbox = new MessageOutbox({
      publish: (args) => backend.publish(room, args),
      changed: (pending) => (this.pending = pending),
      sent: (message) => this.#take([message]),
    });
    this.#news = new MessageNews({
      notes,
      notifier,
      room,
      nameOf: (message) => this.writer(message).name,
      concernsMe: (message) => this.concernsMe(message),
      isUnread: (message) => this.unread.includes(message),
      show: (id) => this.show(id),
    });
  }

  get notes(): Notes {
    return this.world.notes;
  }

  writer(message: Message): Writer {
    return writerOf(message, this.people, this.world.me().userId);
  }

  /** Calls this person by name, or answers something that they said. */
  concernsMe(message: Message): boolean {
    const chat = chatIn(message);
    const { userId } = this.world.me();
    if (chat === null || message.actor.userId === userId) return false;
    const answered = chat.replyTo === null ? undefined : this.#all.find((other) => other.id === chat.replyTo);
    return answered?.actor.userId === userId || callsMe(chat.text, this.callable);
  }

  /** Reads the newest, and again all that is shown: after entering, and whenever the feed began anew. */
  load(): Promise<void> {
    this.#readAgain = this.#reading !== null;
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading;
  }

  /** A kept message of the feed. */
  hear(message: Message): void {
    this.#take([message]);
  }

  /** Reads the newest by itself, while the feed hands nothing over. */
  async peek(): Promise<void> {
    if (this.#closed || this.phase !== 'ready') return;
    const { backend, room } = this.world;
    const page = await backend.history(room, { limit: PEEK }).catch(() => null); // the connection bar tells of it
    if (page !== null && !this.#closed) this.#take(page.messages);
  }

  /** The page before the oldest that is shown. */
  async loadOlder(): Promise<void> {
    if (!this.#pages.more || this.older === 'loading' || this.#closed) return;
    this.older = 'loading';
    try {
      await this.#pages.older();
      this.older = this.#pages.more ? 'more' : 'none';
    } catch {
      this.older = 'failed';
    }
  }

  /** Shows a message, also at one whose page was not read yet. */
  async show(id: string): Promise<void> {
    while (!this.byId.has(id) && this.older === 'more') await this.loadOlder();
    this.wanted = { id };
  }

  /** Reads on until all that is pinned is there, or all there is. */
  async loadPins(): Promise<void> {
    while (this.world.settings.pins.some((id) => !this.byId.has(id)) && this.older === 'more') await this.loadOlder();
  }

  /** All that the room has kept, oldest first. */
  everything(): Promise<readonly Message[]> {
    return this.#pages.everything(this.#all);
  }

  write(text: string): void {
    this.draft = text;
    keepDraft(this.world.me().userId, this.world.room, text);
  }

  send(): void {
    const text = this.draft.trim();
    if (text === '') return;
    this.#outbox.say(text, this.replyTo);
    this.replyTo = null;
    this.write('');
    // Whoever answers has read what is before it.
    this.readAll();
    this.fresh = new Set();
  }

  tryAgain(key: string): void {
    this.#outbox.tryAgain(key);
  }

  /** Takes back what could not be sent; `edit` puts it into the composer again. */
  drop(key: string, edit: boolean): void {
    const dropped = this.#outbox.drop(key);
    if (dropped === null || !edit) return;
    this.write(this.draft === '' ? dropped.text : `${dropped.text}\n${this.draft}`);
    this.replyTo ??= dropped.replyTo;
  }

  reachable(): void {
    this.#outbox.reachable();
  }

  async pin(id: string, pinned: boolean): Promise<void> {
    const gone = this.older === 'none' ? (other: string) => !this.byId.has(other) : () => false;
    const known = this.world.settings.pins.filter((other) => !gone(other));
    const pins = withPin(known, id, pinned);
    await this.world.settings.change(pins.length === 0 ? { unset: ['pins'] } : { metadata: { pins } });
  }

  /** The window gets or loses this person's attention. */
  look(looking: boolean): void {
    if (looking === this.looking) return;
    this.looking = looking;
    // What comes from now on is below a line of its own.
    if (!looking && this.unread.length === 0) this.fresh = new Set();
  }

  /** The panel opens or closes. */
  setOpen(open: boolean): void {
    if (open === this.open) return;
    this.open = open;
    this.#atEnd = false;
    if (open) this.world.notes.shown.filter(({ text }) => text === this.#note).forEach(({ id }) => this.notes.dismiss(id));
    if (!open && this.away?.ids.every((id) => this.#marks.isRead(id)) === true) this.dismissAway();
    this.fresh = open ? new Set(this.unread.map((message) => message.id)) : new Set();
  }

  /** The newest message is in view. */
  setAtEnd(atEnd: boolean): void {
    this.#atEnd = atEnd;
  }

  /** These were in view. */
  seen(ids: readonly string[]): void {
    if (!this.open || !this.looking) return;
    this.#mark(ids);
  }

  readAll(): void {
    this.#mark(this.unread.map((message) => message.id));
    this.dismissAway();
  }

  setAway(away: boolean): void {
    if (away) this.#absence.goes();
    else if (this.#absence.comes()) this.#tellAway();
  }

  dismissAway(): void {
    this.away = null;
    this.#absence.forget();
  }

  /** What another page of this browser marked. */
  marksChanged(): void {
    this.#marks.again();
    this.#keepUnread();
  }

  /** Writes down what was read, before the page goes. */
  save(): void {
    if (!this.#closed) this.#marks.save();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#save);
    clearTimeout(this.#tell);
    this.#outbox.close();
    this.#news.close();
    this.reactions.close();
    this.#marks.save();
  }

  async #read(): Promise<void> {
    try {
      do {
        this.#readAgain = false;
        await this.#pages.newest(this.log.length);
        // Back to where reading stopped, so that it is known.
        while (this.#pages.more && this.log.length > 0 && this.log[0] === this.unread[0]) await this.#pages.older();
        this.older = this.#pages.more ? 'more' : 'none';
      } while (this.#readAgain && !this.#closed);
      this.phase = 'ready';
      this.#tellAway();
    } catch {
      if (this.phase === 'loading' && this.#all.length === 0) this.phase = 'failed';
    }
  }

  #take(messages: readonly Message[]): void {
    if (this.#closed) return;
    const { from } = this.#pages;
    const last = this.log.at(-1);
    const { log, added } = mergeMessages(this.#all, messages);
    this.#all = log;
    this.log = from === undefined ? [] : shownFrom(log, from);
    if (added.length === 0) return;
    const { userId } = this.world.me();
    for (const message of added) if (message.actor.userId === userId) this.#outbox.heard(message);
    const isRead = (message: Message) =>
      !this.#marks.isNews(message, userId) ||
      // Whoever looks at the end of the log reads what comes there.
      (this.#attentive && (last === undefined || compareMessages(last, message) < 0));
    const news = added.filter((message) => !isRead(message));
    this.#marks.mark(added.filter(isRead).map((message) => message.id));
    this.#saveSoon();
    if (news.length > 0) {
      this.unread = [...this.unread, ...news].sort(compareMessages);
      if (this.open) this.fresh = new Set([...this.fresh, ...news.map((message) => message.id)]);
      this.#absence.hears(news);
      if (this.away !== null) this.#showAway();
    }
    this.#news.tell(added.filter((message) => this.#isNew(message)), { open: this.open, looking: this.looking });
  }

  get #attentive(): boolean {
    return this.open && this.looking && this.#atEnd;
  }

  /** Said by another while this person is here, or unread; a page of old ones is nothing to tell. */
  #isNew(message: Message): boolean {
    if (message.actor.userId === this.world.me().userId || this.phase !== 'ready' || chatIn(message) === null) return false;
    return this.unread.includes(message) || this.#attentive;
  }

  #mark(ids: readonly string[]): void {
    const unread = new Set(this.unread.map((message) => message.id));
    const read = ids.filter((id) => unread.has(id));
    if (read.length === 0) return;
    this.#marks.mark(read);
    this.#saveSoon();
    this.#keepUnread();
  }

  #keepUnread(): void {
    this.unread = this.unread.filter((message) => !this.#marks.isRead(message.id));
  }

  #saveSoon(): void {
    clearTimeout(this.#save);
    this.#save = setTimeout(() => this.#marks.save(), SAVE_AFTER_MS);
  }

  #showAway(): void {
    const { since } = this.#absence;
    if (since === null) return;
    this.away = whileAway(
      this.unread.filter((message) => this.#absence.heard(message.id)),
      since,
    );
  }

  #tellAway(): void {
    clearTimeout(this.#tell);
    this.#tell = setTimeout(() => {
      const told = this.away !== null;
      this.#showAway();
      const { away } = this;
      if (away === null || told || this.open) return;
      this.#note = t.messages.away(away.ids.length, this.namesOf(away));
      this.world.notes.show(this.#note, {
        label: t.messages.read,
        run: () => void this.show(away.ids[0] ?? ''),
      });
    }, TELL_AFTER_MS);
  }

  namesOf(away: WhileAway): string[] {
    return away.writers.map((userId) => {
      const message = this.#all.findLast((one) => one.actor.userId === userId);
      return message === undefined ? t.notes.somebody : this.writer(message).name;
    });
  }

  #callable(): readonly Callable[] {
    const me = this.world.me();
    const names = new Map<string, Callable>([[me.userId, { name: me.name, me: true }]]);
    for (const person of this.world.people()) {
      if (!names.has(person.userId)) names.set(person.userId, { name: person.name, me: person.userId === me.userId });
    }
    for (const message of this.log) {
      const { userId } = message.actor;
      if (!names.has(userId)) names.set(userId, { name: this.writer(message).name, me: false });
    }
    return [...names.values()];
  }
}
