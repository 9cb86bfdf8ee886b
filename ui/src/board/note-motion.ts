/**
 * Where each note is drawn at this moment. What this person drags follows the pointer; what others drag or move glides
 * there. One loop of animation frames writes positions straight to elements, and runs only while something moves. The
 * camera is not its business: it moves the layer that all notes are in.
 */
import type { Note } from 'parlor-client';
import type { Rect, Size, Spot } from '../domain/camera';
import { placeOf } from '../domain/note-geometry';
import type { NoteCompany } from './note-company.svelte';

interface Card {
  readonly element: HTMLElement;
  x: number;
  y: number;
}

/** A note in somebody's hand: where it was taken, and how far it is. */
interface Carried {
  readonly key: string;
  readonly from: Spot;
  to: Spot;
  /** Let go at this moment; what they wrote is on its way. */
  droppedAt: number | null;
}

/** Two thirds of the way are done in this time. */
const GLIDE_MS = 60;
const FRAME_MAX_MS = 100;
/** Closer than this, in board units, is there. */
const THERE = 0.3;
/** Presence and the board come by different frames: a dropped note waits for what was written of it. */
const DROP_WAITS_MS = 900;

export class NoteMotion {
  /** The own drag: these notes, this far. */
  #dragged: { readonly ids: ReadonlySet<string>; readonly by: Spot } | null = null;
  #resized: ({ readonly id: string } & Size) | null = null;
  readonly #cards = new Map<string, Card>();
  readonly #carried = new Map<string, Carried>();
  readonly #restless = new Set<string>();
  readonly #lessMotion = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #watchers = new Set<() => void>();
  #frame = 0;
  #at = 0;

  constructor(
    private readonly notes: () => ReadonlyMap<string, Note>,
    private readonly company: NoteCompany,
  ) {}

  /** For `{@attach}`: the element that shows a note. */
  attach(id: string): (element: Element) => () => void {
    return (element) => {
      const card = { element: element as HTMLElement, ...this.#goal(id, performance.now()) };
      this.#cards.set(id, card);
      this.#write(card);
      this.#size(id);
      return () => {
        if (this.#cards.get(id) === card) this.#cards.delete(id);
      };
    };
  }

  /** Looks again where these notes are, or all of them. */
  wake(ids: Iterable<string> = this.#cards.keys()): void {
    for (const id of ids) {
      const card = this.#cards.get(id);
      if (card === undefined) continue;
      this.#size(id);
      const goal = this.#goal(id, performance.now());
      if (goal.x !== card.x || goal.y !== card.y) this.#restless.add(id);
    }
    if (this.#restless.size === 0) this.#moved();
    this.#go();
  }

  /** Hears whenever notes may be drawn elsewhere; for what is drawn beside them. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  drag(ids: ReadonlySet<string>, by: Spot): void {
    this.#dragged = { ids, by };
    this.wake(ids);
  }

  resize(id: string, size: Size): void {
    this.#resized = { id, ...size };
    this.wake([id]);
  }

  /** The own hand is empty: what was dragged is where the notes say. */
  release(): void {
    const ids = [...(this.#dragged?.ids ?? []), ...(this.#resized === null ? [] : [this.#resized.id])];
    this.#dragged = this.#resized = null;
    this.wake(ids);
  }

  /** Where a note is on its way to, with what is done to it now. */
  placeOf(note: Note): Rect {
    const place = placeOf(note);
    const size = this.#resized?.id === note.id ? this.#resized : place;
    return { ...this.#goal(note.id, performance.now()), w: size.w, h: size.h };
  }

  get handling(): boolean {
    return this.#dragged !== null || this.#resized !== null;
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = -1;
    this.#timers.forEach(clearTimeout);
  }

  #go(): void {
    if (this.#frame !== 0 || this.#restless.size === 0) return;
    this.#at = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    const elapsed = Math.min(FRAME_MAX_MS, Math.max(1, now - this.#at));
    this.#at = now;
    const left = Math.exp(-elapsed / GLIDE_MS);
    for (const id of this.#restless) {
      const card = this.#cards.get(id);
      const goal = this.#goal(id, now);
      if (card === undefined) {
        this.#restless.delete(id);
        continue;
      }
      const near = Math.abs(goal.x - card.x) < THERE && Math.abs(goal.y - card.y) < THERE;
      if (near || this.#lessMotion.matches || this.#dragged?.ids.has(id)) {
        card.x = goal.x;
        card.y = goal.y;
        this.#restless.delete(id);
      } else {
        card.x = goal.x + (card.x - goal.x) * left;
        card.y = goal.y + (card.y - goal.y) * left;
      }
      this.#write(card);
    }
    this.#moved();
    if (this.#restless.size > 0) this.#frame = requestAnimationFrame((later) => this.#draw(later));
  }

  #goal(id: string, now: number): Spot {
    const note = this.notes().get(id);
    if (note === undefined) return { x: 0, y: 0 };
    const { x, y } = placeOf(note);
    if (this.#dragged?.ids.has(id)) return { x: x + this.#dragged.by.x, y: y + this.#dragged.by.y };
    const hand = this.company.draggedBy(id);
    let carried = this.#carried.get(id);
    if (hand !== null && (carried === undefined || carried.key !== hand.key || carried.droppedAt !== null)) {
      carried = { key: hand.key, from: { x, y }, to: { x, y }, droppedAt: null };
      this.#carried.set(id, carried);
    }
    if (carried === undefined) return { x, y };
    // Whoever wrote it last says where it is.
    const written = carried.from.x !== x || carried.from.y !== y;
    if (hand !== null) {
      if (written) return { x, y };
      carried.to = { x: x + hand.by.x, y: y + hand.by.y };
      return carried.to;
    }
    if (carried.droppedAt === null) {
      carried.droppedAt = now;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.wake([id]);
      }, DROP_WAITS_MS + 20);
      this.#timers.add(timer);
    }
    if (!written && now - carried.droppedAt < DROP_WAITS_MS) return carried.to;
    this.#carried.delete(id);
    return { x, y };
  }

  #moved(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #write({ element, x, y }: Card): void {
    element.style.transform = `translate(${round(x)}px, ${round(y)}px)`;
  }

  #size(id: string): void {
    const card = this.#cards.get(id);
    const note = this.notes().get(id);
    if (card === undefined || note === undefined) return;
    const { w, h } = this.#resized?.id === id ? this.#resized : placeOf(note);
    const { style } = card.element;
    if (style.width !== `${w}px`) style.width = `${w}px`;
    if (style.height !== `${h}px`) style.height = `${h}px`;
  }
}

const round = (at: number): number => Math.round(at * 100) / 100;
