/**
 * Passing notes: one line at the bottom of the window, with at most one action, gone after some seconds; and what screen
 * readers are told, at most one message in three seconds, in one polite region.
 */
import { SAY_EVERY_MS } from '../domain/announcements';

export interface Note {
  readonly id: number;
  readonly text: string;
  readonly action: { readonly label: string; run(): void } | null;
  /** What it is about; the next about the same takes its place. */
  readonly about: string | null;
}

const SHOWN_MS = 5_000;
const WITH_ACTION_MS = 10_000;
const NOTES_MAX = 3;

export class Notes {
  shown = $state.raw<readonly Note[]>([]);
  /** The text of the live region. */
  said = $state('');
  #nextId = 1;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saidAt = -Infinity;

  /** Shows a note and says it; the same words again, or others about the same, take its place. */
  show(text: string, action: Note['action'] = null, about: string | null = null): void {
    const note = { id: this.#nextId++, text, action, about };
    const before = this.shown.filter((other) => other.text !== text && (about === null || other.about !== about));
    this.shown = [...before, note].slice(-NOTES_MAX);
    setTimeout(() => this.dismiss(note.id), action === null ? SHOWN_MS : WITH_ACTION_MS);
    this.say(text);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((note) => note.id !== id);
  }

  /** Takes away what was shown: it was about a place that is gone. */
  clear(): void {
    this.shown = [];
  }

  say(text: string): void {
    if (!this.#waiting.includes(text)) this.#waiting.push(text);
    clearTimeout(this.#timer);
    const wait = Math.max(50, this.#saidAt + SAY_EVERY_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#saidAt = performance.now();
      this.said = this.#waiting.splice(0).join('. ');
    }, wait);
  }
}
