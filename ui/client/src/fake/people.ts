/** Simulated people for development: seeded, so that the same second shows the same board every time. */
import type { Member } from '../generated/Member';

const FIRST = [
  'Quiet',
  'Brave',
  'Wise',
  'Swift',
  'Gentle',
  'Bright',
  'Calm',
  'Merry',
  'Bold',
  'Lucky',
  'Keen',
  'Sunny',
];
const LAST = ['Otter', 'Heron', 'Fox', 'Badger', 'Lynx', 'Wren', 'Hare', 'Marten', 'Owl', 'Seal', 'Finch', 'Ibex'];
const COLOURS = [
  '#bc5806',
  '#ab4cc0',
  '#0d8367',
  '#d53b4a',
  '#118186',
  '#996d07',
  '#7d5ee0',
  '#278701',
  '#c83d8b',
  '#037ea7',
  '#787804',
];

/** A small generator of numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const fakeName = (index: number): string =>
  `${FIRST[(index * 5 + 1) % FIRST.length]} ${LAST[(index * 7 + 1) % LAST.length]}`;
export const fakeColour = (index: number): string => COLOURS[index % COLOURS.length] ?? '#bc5806';

/** One person who walks about on the board. */
export class FakePerson {
  readonly memberId: string;
  readonly #phase: number[];
  readonly #home: { x: number; y: number };
  readonly #pace: number;

  constructor(
    readonly index: number,
    private readonly random: () => number,
  ) {
    this.memberId = `u_fake${String(index).padStart(2, '0')}`;
    this.#phase = Array.from({ length: 6 }, () => random() * Math.PI * 2);
    const ring = 140 + 200 * Math.sqrt(random());
    const angle = (index * 2.39996) % (Math.PI * 2);
    this.#home = { x: Math.cos(angle) * ring * 1.3, y: Math.sin(angle) * ring * 0.75 };
    // Some people are far off, so that the edge has something to show.
    if (index % 7 === 5) this.#home = { x: this.#home.x * 9, y: this.#home.y * 7 };
    this.#pace = 0.25 + random() * 0.5;
  }

  member(room: string, now: number): Member {
    const at = new Date(now - 600_000 + this.index * 20_000).toISOString();
    const roles: Record<number, string> = { 0: 'incident_commander', 3: 'scribe' };
    const statuses: Record<number, string> = { 2: 'back at 14:00', 4: 'away', 8: 'busy' };
    return {
      room,
      kind: 'room',
      memberId: this.memberId,
      joinedAt: at,
      lastSeenAt: new Date(now).toISOString(),
      metadata: {},
      presence: {
        name: fakeName(this.index),
        color: fakeColour(this.index),
        status: statuses[this.index] ?? 'online',
        tool: 'select',
        ...(roles[this.index] ? { role: roles[this.index] } : {}),
        viewport: this.#viewport(0),
        cursor: this.#cursor(0),
      },
      actor: { kind: this.index % 6 === 1 ? 'guest' : 'user', userId: this.memberId, name: fakeName(this.index) },
      state: 'active',
      self: false,
      verified: this.index % 6 !== 1,
      conflict: false,
    };
  }

  /** What this person does at `t` milliseconds: the keys that change. */
  act(t: number, tick: number): { presence: Record<string, unknown>; unset: string[] } {
    const presence: Record<string, unknown> = {};
    const unset: string[] = [];
    if (this.index === 4) return { presence, unset }; // away
    const seconds = t / 1000;
    // Walks for some seconds, rests for some.
    if (Math.sin(seconds * 0.5 + (this.#phase[4] ?? 0)) > -0.4) presence['cursor'] = this.#cursor(t);
    if (tick % 30 === this.index) presence['viewport'] = this.#viewport(t);
    if (this.index === 1 && tick % 240 === 20)
      Object.assign(presence, { selection: this.#selection(t), tool: 'select' });
    if (this.index === 1 && tick % 240 === 200) presence['selection'] = null;
    if ((this.index === 2 || this.index === 0) && tick % 150 === 10) presence['typing'] = true;
    if ((this.index === 2 || this.index === 0) && tick % 150 === 120) unset.push('typing');
    if (this.index === 2 && tick % 150 === 60) presence['chat'] = 'Shall we start here?';
    if (this.index === 2 && tick % 150 === 140) unset.push('chat');
    if (this.index === 3) this.#draw(presence, t, tick);
    return { presence, unset };
  }

  #draw(presence: Record<string, unknown>, t: number, tick: number): void {
    if (tick % 120 > 70) return;
    presence['tool'] = 'pen';
    const p: number[] = [];
    const count = Math.min(24, (tick % 120) * 2 + 1);
    for (let i = count; i >= 0; i--) {
      const spot = this.#cursor(t - i * 16);
      const before = this.#cursor(t - (i + 1) * 16);
      const [x, y] = [Math.round(spot.x), Math.round(spot.y)];
      p.push(i === count ? x : x - Math.round(before.x), i === count ? y : y - Math.round(before.y));
    }
    presence['ink'] = { s: Math.floor(tick / 120), n: Math.max(0, (tick % 120) * 2 - count), k: 'pen', p };
  }

  #cursor(t: number): { x: number; y: number; t: number } {
    const s = (t / 1000) * this.#pace;
    const [a = 0, b = 0, c = 0, d = 0] = this.#phase;
    return {
      x: Math.round((this.#home.x + 110 * Math.sin(s * 2 + a) + 40 * Math.sin(s * 5.3 + b)) * 10) / 10,
      y: Math.round((this.#home.y + 80 * Math.cos(s * 1.7 + c) + 30 * Math.sin(s * 4.1 + d)) * 10) / 10,
      t: Math.round(t) + this.index * 100_000,
    };
  }

  #viewport(t: number): Record<string, number> {
    const zoom = [1, 0.75, 1.4, 1][this.index % 4] ?? 1;
    const [w, h] = [1100 / zoom, 700 / zoom];
    const drift = Math.sin(t / 9000 + this.index) * 60;
    return {
      x: Math.round(this.#home.x - w / 2 + drift),
      y: Math.round(this.#home.y - h / 2),
      zoom,
      w: Math.round(w),
      h: Math.round(h),
    };
  }

  #selection(t: number): Record<string, number> {
    const { x, y } = this.#cursor(t);
    return { x: x - 120, y: y - 90, w: 190 + Math.round(this.random() * 60), h: 120 };
  }
}
