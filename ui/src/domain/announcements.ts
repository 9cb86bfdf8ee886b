/**
 * What is said aloud by screen readers and shown as a passing note: joins and leaves, coalesced into one message every
 * three seconds. Somebody who leaves and is back soon was never gone, so a leave waits before it is said (reports F2).
 */
export interface Comings {
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

export const SAY_EVERY_MS = 3_000;
export const LEAVE_WAITS_MS = 10_000;

interface Event {
  readonly key: string;
  readonly name: string;
  readonly due: number;
}

export class ComingsAndGoings {
  #joined: Event[] = [];
  #left: Event[] = [];

  joined(key: string, name: string, now: number): void {
    const was = this.#left.length;
    this.#left = this.#left.filter((event) => event.key !== key);
    if (this.#left.length < was) return; // back before anybody was told
    this.#joined.push({ key, name, due: now });
  }

  left(key: string, name: string, now: number): void {
    const was = this.#joined.length;
    this.#joined = this.#joined.filter((event) => event.key !== key);
    if (this.#joined.length < was) return; // gone before anybody was told
    this.#left.push({ key, name, due: now + LEAVE_WAITS_MS });
  }

  /** Whatever became of them is told in another way. */
  forget(key: string): void {
    this.#joined = this.#joined.filter((event) => event.key !== key);
    this.#left = this.#left.filter((event) => event.key !== key);
  }

  /** What is due, once; null when nothing is. */
  take(now: number): Comings | null {
    const due = (event: Event) => event.due <= now;
    const joined = this.#joined.filter(due).map((event) => event.name);
    const left = this.#left.filter(due).map((event) => event.name);
    this.#joined = this.#joined.filter((event) => !due(event));
    this.#left = this.#left.filter((event) => !due(event));
    return joined.length + left.length > 0 ? { joined, left } : null;
  }

  get pending(): boolean {
    return this.#joined.length + this.#left.length > 0;
  }
}
