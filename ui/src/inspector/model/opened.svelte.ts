/**
 * A recording that is open: its file, its steps, and the moment that is looked at. A peer plays it, and plays it anew for
 * each moment, so what is asked for waits until the slider rests, and only the newest question is put.
 */
import type { RecordingFile, Replayed, Replays, ReplayState, ReplayStep } from 'parlor-client';
import { SvelteMap } from 'svelte/reactivity';

/** Steps that are asked for at once, and that are listed at most. */
const PAGE = 10_000;
export const LISTED = 100_000;
/** States that are kept: walking back and forth asks for none of them again. */
const STATES = 64;

export class Opened {
  /** Listed so far. */
  steps = $state.raw<readonly ReplayStep[]>([]);
  /** The step that is looked at. */
  step = $state(1);
  #states = new SvelteMap<number, ReplayState>();
  #asking = false;
  #closed = false;

  private constructor(
    readonly name: string,
    readonly file: RecordingFile,
    /** What it says of itself; its steps are in `steps`. */
    readonly head: Replayed,
    private readonly replays: Replays,
    private readonly failed: (cause: unknown) => void,
  ) {
    this.steps = head.steps;
    this.step = Math.max(1, head.total);
    this.#keep(head.state);
  }

  /** Reads a file. Rejects what is no recording. */
  static async of(name: string, file: RecordingFile, replays: Replays, failed: (cause: unknown) => void) {
    const opened = new Opened(name, file, await replays.replay(file, { limit: PAGE }), replays, failed);
    void opened.#list(opened.head.nextFrom).catch(failed);
    return opened;
  }

  close(): void {
    this.#closed = true;
  }

  get listed(): number {
    return Math.min(this.head.total, LISTED);
  }

  /** What is held after the step that is looked at; null until it is known. */
  get state(): ReplayState | null {
    return this.#states.get(this.step) ?? null;
  }

  /** The moment of the step that is looked at, in milliseconds since the beginning. */
  get ms(): number {
    return this.state?.ms ?? this.steps[this.step - 1]?.ms ?? this.head.lengthMs;
  }

  go(step: number): void {
    this.step = Math.max(1, Math.min(this.head.total, Math.round(step)));
    void this.#ask().catch(this.failed);
  }

  /** The last step that is not later than this. */
  goTo(ms: number): void {
    this.go(stepAt(this.steps, ms));
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (let at = this.step; !this.#closed && !this.#states.has(at); at = this.step)
        this.#keep(await this.replays.replayState(this.file, { at }));
    } finally {
      this.#asking = false;
    }
  }

  #keep(state: ReplayState): void {
    this.#states.set(state.step, state);
    for (const step of this.#states.keys()) {
      if (this.#states.size <= STATES) return;
      if (step !== this.step) this.#states.delete(step);
    }
  }

  async #list(from: number | null): Promise<void> {
    while (from !== null && from <= LISTED && !this.#closed) {
      const page = await this.replays.replay(this.file, { from, limit: PAGE, at: 0 });
      this.steps = [...this.steps, ...page.steps];
      from = page.nextFrom;
    }
  }
}

/** The number of the last step that is not later than this; 1 when all are. */
export function stepAt(steps: readonly Pick<ReplayStep, 'ms'>[], ms: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.ms ?? Infinity) <= ms) low = middle + 1;
    else high = middle;
  }
  return Math.max(1, low);
}
