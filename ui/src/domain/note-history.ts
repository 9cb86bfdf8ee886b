/**
 * Undo and redo of this person's own doings, and of nobody else's. An undo writes the fields that they changed, as they
 * were, and only where they still are what they wrote: what somebody changed since stays, and is told.
 */
import type { Note } from 'parlor-client';
import { FIELDS, fieldsOf, type Fields } from './note-drafts';

/** One note of a doing: null is a note that is not there. */
export interface Step {
  readonly id: string;
  readonly before: Fields | null;
  readonly after: Fields | null;
}

interface Doing {
  steps: readonly Step[];
  readonly kind: string | null;
  at: number;
}

export interface Reversal {
  readonly set: readonly (Fields & { readonly id: string })[];
  readonly remove: readonly string[];
  /** Notes that somebody changed since, so that not all of it was taken back. */
  readonly kept: readonly string[];
}

const DOINGS_MAX = 200;
/** Doings of one kind closer than this are one, such as arrow keys. */
const TOGETHER_MS = 1_000;

type Read = (id: string) => Note | undefined;

export class NoteHistory {
  #done: Doing[] = [];
  #undone: Doing[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  did(steps: readonly Step[], kind: string | null = null): void {
    if (steps.length === 0) return;
    this.#undone = [];
    const last = this.#done.at(-1);
    const at = this.now();
    if (kind !== null && last?.kind === kind && at - last.at < TOGETHER_MS && sameNotes(last.steps, steps)) {
      last.steps = last.steps.map((step, i) => ({ ...step, after: merged(step.after, steps[i]?.after) }));
      last.at = at;
      return;
    }
    this.#done = [...this.#done, { steps, kind, at }].slice(-DOINGS_MAX);
  }

  /** What takes the last doing back; null when there is none. */
  undo(read: Read): Reversal | null {
    return this.#turn(this.#done, this.#undone, read);
  }

  redo(read: Read): Reversal | null {
    return this.#turn(this.#undone, this.#done, read);
  }

  /** The peer refused it: it was never done. */
  forget(steps: readonly Step[]): void {
    this.#done = this.#done.filter((doing) => doing.steps !== steps);
  }

  #turn(from: Doing[], to: Doing[], read: Read): Reversal | null {
    const doing = from.pop();
    if (doing === undefined) return null;
    const { reversal, steps } = reversed(doing.steps, read);
    if (steps.length > 0) to.push({ steps, kind: null, at: this.now() });
    return reversal;
  }
}

/** What takes steps back, and the steps that this is itself, turned so that another turn does them again. */
export function reversed(steps: readonly Step[], read: Read): { reversal: Reversal; steps: Step[] } {
  const set: (Fields & { id: string })[] = [];
  const remove: string[] = [];
  const kept: string[] = [];
  const turned: Step[] = [];
  for (const { id, before, after } of steps) {
    const note = read(id);
    if (before === null) {
      if (note === undefined) continue; // gone already, which is what was asked for
      if (after === null || FIELDS.some((field) => after[field] !== undefined && after[field] !== note[field])) kept.push(id);
      else {
        remove.push(id);
        turned.push({ id, before: fieldsOf(note), after: null });
      }
    } else if (after === null) {
      if (note !== undefined) kept.push(id);
      else {
        set.push({ id, ...before });
        turned.push({ id, before: null, after: before });
      }
    } else {
      const mine = FIELDS.filter((field) => after[field] !== undefined);
      const still = mine.filter((field) => note?.[field] === after[field]);
      if (still.length < mine.length) kept.push(id);
      if (still.length === 0) continue;
      const pick = (fields: Fields) => Object.fromEntries(still.map((field) => [field, fields[field]])) as Fields;
      set.push({ id, ...pick(before) });
      turned.push({ id, before: pick(after), after: pick(before) });
    }
  }
  return { reversal: { set, remove, kept }, steps: turned };
}

const sameNotes = (a: readonly Step[], b: readonly Step[]): boolean =>
  a.length === b.length && a.every((step, i) => step.id === b[i]?.id);

const merged = (a: Fields | null, b: Fields | null | undefined): Fields | null => (a && b ? { ...a, ...b } : (b ?? null));
