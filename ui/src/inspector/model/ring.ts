/** The newest of many, by their place in all that there ever was: old ones go, places stay. */
export class Ring<T> {
  readonly #kept: (T | undefined)[];
  #end = 0;

  constructor(readonly capacity: number) {
    this.#kept = new Array<T | undefined>(capacity).fill(undefined);
  }

  /** The place of the oldest that is kept. */
  get start(): number {
    return Math.max(0, this.#end - this.capacity);
  }

  /** The place of the next that comes. */
  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.start;
  }

  push(item: T): void {
    this.#kept[this.#end % this.capacity] = item;
    this.#end += 1;
  }

  /** What is at a place; nothing when it is gone or has not come. */
  at(place: number): T | undefined {
    return place >= this.start && place < this.#end ? this.#kept[place % this.capacity] : undefined;
  }

  clear(): void {
    this.#kept.fill(undefined);
    this.#end = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.start; place < this.#end; place++) yield this.#kept[place % this.capacity] as T;
  }
}
