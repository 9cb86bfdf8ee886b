/**
 * One made-up person. What they do is a script: it acts, and then says how many milliseconds to rest before it goes on.
 * All choices come from a seed, and time comes from the room, so the same seed makes the same visit.
 */
import type { Note } from 'parlor-client';
import type { Rect, Spot } from '../domain/camera';
import { draw, INK_FADES_MS, newStroke, toValue } from '../domain/ink';
import { walk } from '../domain/walk';
import type { SampleRoom } from './sample-room';

type Script = Generator<number, void, void>;

export interface Part {
  readonly memberId: string;
  readonly name: string;
  readonly colour: string;
  readonly role: string;
  readonly status: string;
  /** Where they begin. */
  readonly home: Spot;
  /** What they like to do, the first the most. */
  readonly likes: readonly Doing[];
}

export type Doing = 'talk' | 'write' | 'move' | 'draw' | 'say' | 'point';

const TICK_MS = 33;
const VIEW = { w: 1100, h: 700 };
const KEY_MS = 95;

export class SamplePerson {
  #at: Spot;
  #view: Rect;
  #due = 0;
  #script: Script;
  #strokes = 0;
  /** What was asked of them, done before anything else. */
  readonly #asked: (() => Script)[] = [];

  constructor(
    readonly part: Part,
    private readonly room: SampleRoom,
    private readonly random: () => number,
  ) {
    this.#at = part.home;
    this.#view = { x: part.home.x - VIEW.w / 2, y: part.home.y - VIEW.h / 2, ...VIEW };
    this.#script = this.#live();
  }

  get presence(): Record<string, unknown> {
    const { name, colour, role, status } = this.part;
    return {
      ...{ name, color: colour, status: status === '' ? 'online' : status, tool: 'select' },
      ...(role === '' ? {} : { role }),
      viewport: this.#viewport(),
      cursor: { ...this.#at, t: 0 },
    };
  }

  /** Goes on up to this moment. */
  step(now: number): void {
    while (this.#due <= now) {
      const rest = this.#script.next();
      this.#due += Math.max(1, rest.value ?? 0);
    }
  }

  /** Comes to look at a part of the board. */
  come(where: Rect): void {
    this.#asked.push(() => this.#comeTo(where));
  }

  /** Answers something that was said. */
  answer(): void {
    if (this.#asked.length < 2) this.#asked.push(() => this.#talk(this.room.words.answers));
  }

  *#live(): Script {
    yield this.#between(300, 2_500);
    for (;;) {
      const asked = this.#asked.shift();
      if (asked !== undefined) yield* asked();
      else yield* this.#do(this.#chosen());
      yield this.#between(500, 1_900);
    }
  }

  /** The first liking about half of the time. */
  #chosen(): Doing {
    const { likes } = this.part;
    return likes[Math.floor(this.random() ** 1.7 * likes.length)] ?? 'point';
  }

  #do(doing: Doing): Script {
    switch (doing) {
      case 'talk':
        return this.#talk(this.room.words.chat);
      case 'write':
        return this.#write();
      case 'move':
        return this.#move();
      case 'draw':
        return this.#draw();
      case 'say':
        return this.#say();
      case 'point':
        return this.#walk(this.#somewhere());
    }
  }

  *#talk(lines: readonly string[]): Script {
    const text = this.room.nextOf(lines);
    this.#tell({ typing: true });
    yield Math.min(4_000, 900 + text.length * 45);
    this.#tell({}, ['typing']);
    this.room.say(text, this.part.memberId);
  }

  /** A few words at the own cursor. */
  *#say(): Script {
    const text = this.#any(this.room.words.says) ?? '';
    yield* this.#walk(this.#somewhere());
    for (let length = 1; length <= text.length; length++) {
      this.#tell({ chat: text.slice(0, length) });
      yield KEY_MS * (0.6 + this.random());
    }
    yield 2_600;
    this.#tell({}, ['chat']);
  }

  /** A note of their own, or more words on one that is there. */
  *#write(): Script {
    const old = this.room.ownNote(this.part.memberId);
    const text = this.room.nextOf(this.room.words.writes);
    const at = old ?? { ...this.#somewhere(), w: 200, h: 150 };
    yield* this.#walk({ x: at.x + at.w / 2, y: at.y + at.h / 2 });
    const id = old?.id ?? this.room.newNote(this.part.memberId, { x: Math.round(at.x), y: Math.round(at.y) });
    for (let length = 0; length <= text.length; length++) {
      if (!this.room.mayWrite(id, this.part.memberId)) break;
      this.#tell({ editing: { note: id, from: length, to: length } });
      this.room.write({ id, text: text.slice(0, length) }, this.part.memberId);
      yield KEY_MS * (0.5 + this.random());
    }
    yield 700;
    this.#tell({ editing: null });
  }

  /** Takes a note to another place. */
  *#move(): Script {
    const note = this.#any(this.room.freeNotes());
    if (note === undefined) return;
    yield* this.#walk({ x: note.x + note.w / 2, y: note.y + note.h / 3 });
    this.#tell({ selected: [note.id] });
    yield 350;
    const hold = { x: this.#at.x - note.x, y: this.#at.y - note.y };
    const turn = this.random() * Math.PI * 2;
    const to = { x: this.#at.x + Math.cos(turn) * 170, y: this.#at.y + Math.sin(turn) * 120 };
    for (const step of this.#walk(this.#kept(to))) {
      if (!this.room.mayWrite(note.id, this.part.memberId)) break;
      const spot: Partial<Note> = { x: Math.round(this.#at.x - hold.x), y: Math.round(this.#at.y - hold.y) };
      this.room.write({ id: note.id, ...spot }, this.part.memberId);
      yield step;
    }
    yield 400;
    this.#tell({ selected: [] });
  }

  /** A ring around something, in ink that fades. */
  *#draw(): Script {
    const around = this.#any(this.room.freeNotes());
    const middle =
      around === undefined ? this.#somewhere() : { x: around.x + around.w / 2, y: around.y + around.h / 2 };
    const reach = around === undefined ? { x: 70, y: 50 } : { x: around.w * 0.62, y: around.h * 0.68 };
    const from = this.random() * Math.PI * 2;
    const on = (angle: number): Spot => ({
      x: middle.x + Math.cos(angle) * reach.x,
      y: middle.y + Math.sin(angle) * reach.y,
    });
    yield* this.#walk(on(from));
    this.#tell({ tool: 'pen' });
    const stroke = newStroke((this.#strokes += 1), 'pen');
    for (let angle = 0; angle < Math.PI * 2.15; angle += 0.16) {
      this.#point(on(from + angle));
      draw(stroke, this.#at, this.room.now);
      const value = toValue(stroke);
      if (value !== null) this.#tell({ ink: value });
      yield TICK_MS;
    }
    yield INK_FADES_MS.pen;
    this.#tell({ tool: 'select' }, ['ink']);
  }

  *#comeTo(where: Rect): Script {
    yield this.#between(400, 2_200);
    const spot = () => ({
      x: where.x + where.w * (0.25 + 0.5 * this.random()),
      y: where.y + where.h * (0.25 + 0.5 * this.random()),
    });
    this.#view = { x: where.x, y: where.y, w: Math.max(200, where.w), h: Math.max(150, where.h) };
    this.#tell({ viewport: this.#viewport() });
    yield* this.#walk(spot());
    yield 900;
    yield* this.#walk(spot());
  }

  *#walk(to: Spot): Script {
    for (const spot of walk(this.#at, to, (this.random() - 0.5) * 0.35, TICK_MS)) {
      this.#point(spot);
      yield TICK_MS;
    }
    this.#lookAlong();
  }

  #point({ x, y }: Spot): void {
    const tenth = (value: number) => Math.round(value * 10) / 10;
    this.#at = { x: tenth(x), y: tenth(y) };
    this.#tell({ cursor: { ...this.#at, t: Math.round(this.room.now) } });
  }

  /** Nobody points where they do not look. */
  #lookAlong(): void {
    const { x, y, w, h } = this.#view;
    const inside =
      this.#at.x > x + w * 0.1 && this.#at.x < x + w * 0.9 && this.#at.y > y + h * 0.1 && this.#at.y < y + h * 0.9;
    if (inside) return;
    this.#view = { x: this.#at.x - w / 2, y: this.#at.y - h / 2, w, h };
    this.#tell({ viewport: this.#viewport() });
  }

  #viewport() {
    const { x, y, w, h } = this.#view;
    const whole = Math.round;
    return { x: whole(x), y: whole(y), w: whole(w), h: whole(h), zoom: Math.round((VIEW.w / w) * 100) / 100 };
  }

  /** Near the notes, where everybody is. */
  #somewhere(): Spot {
    return this.#kept({
      x: this.part.home.x + (this.random() - 0.5) * 560,
      y: this.part.home.y + (this.random() - 0.5) * 380,
    });
  }

  #kept = ({ x, y }: Spot): Spot => ({ x: Math.max(-620, Math.min(620, x)), y: Math.max(-380, Math.min(380, y)) });

  #any<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }

  #between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  #tell(presence: Record<string, unknown>, unset: readonly string[] = []): void {
    this.room.tell(this.part.memberId, presence, unset);
  }
}
