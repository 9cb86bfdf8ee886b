/** One case of the table, step by step; `README.md` beside the table says what a step is. */
import { setTimeout as pause } from 'node:timers/promises';

import { fits } from './pattern.js';
import { meant } from './value.js';

const GUESTS = ['ada', 'bob'];
const PATIENCE_MS = 20_000;
/** What a case can ask to have heard; the rest passes by. */
const HEARD = ['joined', 'updated', 'stale', 'active', 'left', 'metadata', 'message'];

/** `surfaceOf(who)` has the calls of somebody's peer; `me` and the guests are of the one that is tried. */
export async function play({ steps }, world, surfaceOf) {
  const playing = new Playing(world, surfaceOf, await world.names(GUESTS));
  for (const [n, step] of steps.entries()) {
    try {
      await playing.step(step);
    } catch (cause) {
      throw new Error(`step ${n + 1}, ${JSON.stringify(step)}: ${cause.message}`, { cause });
    }
  }
}

class Playing {
  #ears = new Map();

  constructor(world, surfaceOf, names) {
    Object.assign(this, { world, surfaceOf, names });
  }

  async step(step) {
    const { by } = step;
    if (step.listens) await this.#listen(by, this.#room(step, 1));
    else if (step.hears) await this.#hears(by, step.hears);
    else if (step.heard) await this.#heard(by, step.heard);
    else if (step.does) await this.world.does(by, step.does);
    else if (step.until) await this.#until(step);
    else if (step.for) await this.#for(step);
    else await this.#calls(step);
  }

  #room({ room = 'r' }, n) {
    return meant(room, this.names, n);
  }

  #call(step, n) {
    const { by, call, args, fresh = false } = step;
    const guest = GUESTS.includes(by) ? by : null;
    const json = args === undefined ? undefined : JSON.stringify(meant(args, this.names, n));
    return this.surfaceOf(guest === null ? by : 'me').call(guest, call, this.#room(step, n), json, fresh);
  }

  async #until(step) {
    const deadline = performance.now() + (step.within === undefined ? PATIENCE_MS : step.within * 1000);
    for (;;) {
      const { value, error } = await this.#call(step, 1);
      if (error) throw new Error(`it was refused: ${JSON.stringify(error)}`);
      const names = new Map(this.names);
      try {
        fits(step.until, value, names);
        this.names = names;
        return;
      } catch (cause) {
        if (performance.now() > deadline) throw cause;
      }
      await pause(40);
    }
  }

  /** Again and again, for so many seconds. */
  async #for(step) {
    const end = performance.now() + step.for * 1000;
    while (performance.now() < end) {
      const { value, error } = await this.#call(step, 1);
      if (error) throw new Error(`it was refused: ${JSON.stringify(error)}`);
      fits(step.gives, value, this.names);
      await pause(40);
    }
  }

  async #calls(step) {
    for (let n = 1; n <= (step.times ?? 1); n++) {
      const { value, error } = await this.#call(step, n);
      if (step.refusedAtLast) {
        if (error) return this.#refused(step.refusedAtLast, error);
      } else if (step.refused) {
        if (!error) throw new Error(`it was taken: ${JSON.stringify(value)}`);
        this.#refused(step.refused, error);
      } else {
        if (error) throw new Error(`it was refused: ${JSON.stringify(error)}`);
        if (step.gives) fits(numbered(step.gives, n), value, this.names);
      }
    }
    if (step.refusedAtLast) throw new Error(`${step.times} of them were taken`);
  }

  /** An error may have more than a case names: a message always, details that are of interest elsewhere. */
  #refused(pattern, error) {
    fits({ '...': true, message: '$text', ...pattern }, error, this.names);
  }

  async #listen(by, room) {
    const surface = this.surfaceOf(by);
    const ears = { surface, id: await surface.listen(room), queue: [], since: performance.now() };
    this.#ears.set(by, ears);
    const first = await next(ears, () => true);
    if (first?.type !== 'snapshot') throw new Error(`it does not begin with a snapshot but ${JSON.stringify(first)}`);
  }

  async #hears(by, expected) {
    for (const pattern of expected) {
      const event = await next(this.#ears.get(by), ({ type }) => HEARD.includes(type));
      if (event === undefined) throw new Error(`nothing came that is ${JSON.stringify(pattern)}`);
      fits({ '...': true, ...pattern }, event, this.names);
    }
  }

  async #heard(by, { type, atMostASecond }) {
    const ears = this.#ears.get(by);
    const events = [...ears.queue, ...(await ears.surface.heard(ears.id))];
    const count = events.filter((event) => event.type === type).length;
    // The first goes out at once, and one may be on its way.
    const most = (atMostASecond * (performance.now() - ears.since)) / 1000 + 2;
    if (count > most) throw new Error(`${count} were heard, more than ${most}`);
  }
}

/** The next event that is of interest; nothing when none comes. */
async function next(ears, wanted) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    while (ears.queue.length > 0) {
      const event = ears.queue.shift();
      if (wanted(event)) return event;
    }
    if (performance.now() > deadline) return undefined;
    ears.queue.push(...(await ears.surface.heard(ears.id)));
    if (ears.queue.length === 0) await pause(10);
  }
}

/** The pattern of the call of this number. */
function numbered(pattern, n) {
  if (pattern === '$n') return n;
  if (Array.isArray(pattern)) return pattern.map((item) => numbered(item, n));
  if (typeof pattern !== 'object' || pattern === null) return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, numbered(value, n)]));
}
