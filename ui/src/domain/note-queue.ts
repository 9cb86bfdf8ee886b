/**
 * Own writes on their way to the peer: one call at a time and in order, so that an older text never comes after a newer
 * one. Waiting writes of one kind become one. A peer that cannot be reached is tried again; what it refuses is told once.
 */
import type { BoardChange, NoteChange } from 'parlor-client';

/** Notes in one call (the peer allows 500), and letters: what fits a request whatever the language. */
const NOTES_AT_ONCE = 400;
const LETTERS_AT_ONCE = 60_000;
const AGAIN_FIRST_MS = 500;
const AGAIN_LAST_MS = 5_000;

export interface QueueOptions {
  readonly send: (change: BoardChange) => Promise<unknown>;
  readonly answered: (write: number) => void;
  readonly refused: (write: number, cause: unknown) => void;
  /** Whether the same call may succeed later. */
  readonly passes: (cause: unknown) => boolean;
}

interface Write {
  number: number;
  readonly kind: string | null;
  readonly set: Map<string, NoteChange>;
  readonly remove: Set<string>;
}

export class NoteQueue {
  readonly #waiting: Write[] = [];
  #busy = false;
  #closed = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: QueueOptions) {}

  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0;
  }

  /** `kind`: a waiting write of the same kind, if it is the last, takes this one in and its number. */
  push(number: number, { set = [], remove = [] }: BoardChange, kind: string | null = null): void {
    if (this.#closed) return;
    const last = this.#waiting.at(-1);
    if (kind !== null && last?.kind === kind && (!this.#busy || this.#waiting.length > 1)) {
      for (const change of set) last.set.set(change.id, { ...last.set.get(change.id), ...change });
      for (const id of remove) last.remove.add(id);
      this.options.answered(last.number);
      last.number = number;
    } else {
      for (const part of parts(set, remove)) this.#waiting.push({ number, kind, ...part });
    }
    void this.#go();
  }

  /** The way to the peer is open again. */
  retry(): void {
    clearTimeout(this.#timer);
    this.#tries = 0;
    void this.#go();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #go(): Promise<void> {
    const write = this.#waiting[0];
    if (this.#busy || this.#closed || write === undefined) return;
    this.#busy = true;
    try {
      await this.options.send({ set: [...write.set.values()], remove: [...write.remove] });
      this.#done(write);
      if (!this.#waiting.some((other) => other.number === write.number)) this.options.answered(write.number);
    } catch (cause) {
      this.#busy = false;
      if (this.#closed) return;
      if (this.options.passes(cause)) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#go(), Math.min(AGAIN_LAST_MS, AGAIN_FIRST_MS * 2 ** this.#tries++));
        return;
      }
      this.#done(write);
      this.options.refused(write.number, cause);
    }
    void this.#go();
  }

  #done(write: Write): void {
    this.#busy = false;
    this.#tries = 0;
    this.#waiting.splice(this.#waiting.indexOf(write), 1);
  }
}

function parts(set: readonly NoteChange[], remove: readonly string[]): Pick<Write, 'set' | 'remove'>[] {
  const made: Pick<Write, 'set' | 'remove'>[] = [];
  let part = { set: new Map<string, NoteChange>(), remove: new Set<string>() };
  let letters = 0;
  const room = (more: number) => {
    if (part.set.size + part.remove.size < NOTES_AT_ONCE && letters + more <= LETTERS_AT_ONCE) return;
    if (part.set.size + part.remove.size > 0) made.push(part);
    part = { set: new Map(), remove: new Set() };
    letters = 0;
  };
  for (const change of set) {
    const more = (change.text?.length ?? 0) + 100;
    room(more);
    letters += more;
    part.set.set(change.id, change);
  }
  for (const id of remove) {
    room(0);
    part.remove.add(id);
  }
  if (part.set.size + part.remove.size > 0) made.push(part);
  return made;
}
