/**
 * How this person learns of what others say: read aloud while the panel is open, by a notification while they look
 * elsewhere and want it. However many come at once, it is one sentence in three seconds and one notification.
 */
import type { Message } from 'parlor-client';
import type { Notes } from '../app/notes.svelte';
import { SAY_EVERY_MS } from '../domain/announcements';
import { lineOf } from '../domain/line';
import { chatIn } from '../domain/message-types';
import { t } from '../i18n';
import { notifyOf } from './notify-choice';
import type { Notifier } from './notifier';

/** What comes together is told together. */
const TOGETHER_MS = 400;
const SPOKEN_LETTERS = 200;
/** More are counted and not read out. */
const SPOKEN_MAX = 3;

export interface MessageNewsOptions {
  readonly notes: Notes;
  readonly notifier: Notifier;
  readonly room: string;
  readonly nameOf: (message: Message) => string;
  readonly concernsMe: (message: Message) => boolean;
  readonly isUnread: (message: Message) => boolean;
  readonly show: (id: string) => void;
}

export class MessageNews {
  #spoken: Message[] = [];
  #notified: Message[] = [];
  #speak: ReturnType<typeof setTimeout> | undefined;
  #notify: ReturnType<typeof setTimeout> | undefined;
  #spokeAt = -Infinity;

  constructor(private readonly options: MessageNewsOptions) {}

  tell(messages: readonly Message[], { open, looking }: { open: boolean; looking: boolean }): void {
    if (messages.length === 0) return;
    if (open && looking) {
      this.#spoken.push(...messages);
      const wait = Math.max(TOGETHER_MS, this.#spokeAt + SAY_EVERY_MS - performance.now());
      this.#speak ??= setTimeout(() => this.#say(), wait);
    }
    const wanted = looking ? 'nothing' : notifyOf();
    if (wanted === 'nothing') return;
    this.#notified.push(...messages.filter((message) => wanted === 'all' || this.options.concernsMe(message)));
    if (this.#notified.length === 0) return;
    // A page that is hidden for long has no timers, and hears of all that came at once.
    if (document.hidden) this.#note();
    else this.#notify ??= setTimeout(() => this.#note(), TOGETHER_MS);
  }

  close(): void {
    clearTimeout(this.#speak);
    clearTimeout(this.#notify);
  }

  #say(): void {
    this.#speak = undefined;
    this.#spokeAt = performance.now();
    const said = this.#spoken.splice(0);
    if (said.length > SPOKEN_MAX) this.options.notes.say(t.messages.several(said.length, this.#names(said)));
    else this.options.notes.say(said.map((message) => this.#words(message)).join('. '));
  }

  #note(): void {
    clearTimeout(this.#notify);
    this.#notify = undefined;
    const messages = this.#notified.splice(0).filter((message) => this.options.isUnread(message));
    const [first] = messages;
    if (first === undefined) return;
    const one = messages.length === 1;
    this.options.notifier.show({
      title: one ? this.options.nameOf(first) : t.messages.several(messages.length, this.#names(messages)),
      body: one ? textOf(first) : messages.slice(-SPOKEN_MAX).map((message) => this.#words(message)).join('\n'),
      tag: `parlor-${this.options.room}`,
      opened: () => this.options.show(first.id),
    });
  }

  #words(message: Message): string {
    return t.messages.said(this.options.nameOf(message), textOf(message));
  }

  #names(messages: readonly Message[]): string[] {
    return [...new Set(messages.map((message) => this.options.nameOf(message)))];
  }
}

const textOf = (message: Message): string => lineOf(chatIn(message)?.text, SPOKEN_LETTERS) ?? '…';
