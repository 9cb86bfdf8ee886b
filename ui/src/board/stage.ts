/**
 * Draws everything on the board that moves: cursors, chips at the edge, selections, fading ink, the map. One loop of
 * animation frames writes positions straight to elements and runs only while something moves; what changes by time
 * alone, such as a label that goes, is a timer. Elements are made by the components and handed in by `attach`.
 */
import type { Member, Note } from 'parlor-client';
import { toScreen, type Rect, type Spot } from '../domain/camera';
import { cursorLook, nextLookIn } from '../domain/cursor-look';
import { CursorTrack } from '../domain/cursor-track';
import { edgeChips, isInView } from '../domain/edge-chips';
import { fade, receiveInk, type Stroke } from '../domain/ink';
import { colourOf, cursorOf, inkOf, isAway, selectionOf, viewportOf } from '../domain/seen';
import type { BoardView } from './board-view.svelte';
import { paintInk } from './ink-canvas';
import { mapNotes, paintMinimap, type MapNotes } from './minimap';

export type Part = 'cursor' | 'chip' | 'selection';

interface Entry {
  readonly track: CursorTrack;
  readonly parts: Partial<Record<Part, HTMLElement>>;
  readonly strokes: Stroke[];
  colour: string;
  /** Whether there is a cursor to draw: on the surface and not away. */
  shown: boolean;
  movedAt: number;
  selection: Rect | null;
  viewport: Rect | null;
  spot: Spot | null;
}

/** The map is a glance, not a mirror. */
const MAP_EVERY_MS = 100;
/** The tools cover this much of the lower edge. */
const TOOLS_HIGH = 44;
/** A label this close to the right edge is written to the left of the arrow. */
const FLIP_AT = 150;

export class Stage {
  readonly ownStrokes: Stroke[] = [];
  ownColour = '#82827c';
  ownSelf: string | null = null;
  ink: HTMLCanvasElement | null = null;
  map: HTMLCanvasElement | null = null;
  cluster: HTMLElement | null = null;
  readonly #entries = new Map<string, Entry>();
  readonly #lessMotion = matchMedia('(prefers-reduced-motion: reduce)');
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notes: MapNotes = { places: [], bounds: null };
  #mapDirty = true;
  #mapAt = -Infinity;
  #selectionsDirty = true;
  #inked = false;
  #hadChips = false;

  constructor(private readonly view: BoardView) {}

  /** Presence of somebody came in; `keys` are those that changed. */
  hear(key: string, member: Member | null, keys: readonly string[]): void {
    if (key === '') this.#entries.forEach((entry) => this.#silence(entry));
    else if (member === null) this.#forget(key);
    else if (key !== this.ownSelf) this.#update(key, member, keys);
    this.wake();
  }

  /** For `{@attach}`: the element that shows this part of this person, as long as it is there. */
  attach(key: string, part: Part): (element: Element) => () => void {
    return (element) => {
      const entry = this.#entry(key);
      entry.parts[part] = element as HTMLElement;
      this.#selectionsDirty = true;
      this.wake();
      return () => {
        if (entry.parts[part] === element) delete entry.parts[part];
      };
    };
  }

  /** The camera moved: everything has another place. */
  cameraMoved(): void {
    this.#selectionsDirty = true;
    this.#mapDirty = true;
    this.wake();
  }

  /** The map shows them. */
  notesChanged(notes: Iterable<Note>): void {
    this.#notes = mapNotes(notes);
    this.#mapDirty = true;
    this.wake();
  }

  /** Where somebody points or, without a cursor, looks. */
  whereIs(key: string): Spot | null {
    const entry = this.#entries.get(key);
    const newest = entry?.shown ? entry.track.newest : null;
    if (newest) return { x: newest.x, y: newest.y };
    const viewport = entry?.viewport;
    return viewport ? { x: viewport.x + viewport.w / 2, y: viewport.y + viewport.h / 2 } : null;
  }

  /** All that there is to see of others, for "show everyone". */
  everybody(): Rect[] {
    return [...this.#entries.keys()]
      .filter((key) => key !== this.ownSelf)
      .map((key) => this.whereIs(key))
      .filter((spot) => spot !== null)
      .map((spot) => ({ x: spot.x - 80, y: spot.y - 60, w: 160, h: 120 }));
  }

  wake(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = -1;
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {
        track: new CursorTrack(),
        parts: {},
        strokes: [],
        colour: '#82827c',
        shown: false,
        movedAt: -Infinity,
        selection: null,
        viewport: null,
        spot: null,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #update(key: string, member: Member, keys: readonly string[]): void {
    const { presence } = member;
    const entry = this.#entry(key);
    const now = performance.now();
    entry.colour = colourOf(presence, member.actor.userId);
    const cursor = member.state === 'stale' || isAway(presence) ? null : cursorOf(presence);
    if (cursor === null) {
      entry.shown = false;
      entry.track.clear();
    } else if (!entry.shown || keys.includes('cursor')) {
      const before = entry.track.newest;
      entry.track.receive(cursor, now);
      // Somebody who is seen for the first time may have rested for long; nobody can tell, so the label shows.
      if (before === null || before.x !== cursor.x || before.y !== cursor.y) entry.movedAt = now;
      entry.shown = true;
      this.#mapDirty = true;
    }
    // Whoever says something is there, however long their pointer has rested.
    if (keys.includes('chat')) entry.movedAt = now;
    if (keys.includes('selection')) {
      entry.selection = selectionOf(presence);
      this.#selectionsDirty = true;
    }
    if (keys.includes('viewport')) {
      entry.viewport = viewportOf(presence);
      this.#mapDirty = true;
    }
    const ink = keys.includes('ink') && member.state === 'active' ? inkOf(presence) : null;
    if (ink !== null) receiveInk(entry.strokes, ink, now);
  }

  #silence(entry: Entry): void {
    entry.shown = false;
    entry.track.clear();
    entry.selection = null;
    entry.viewport = null;
    this.#selectionsDirty = true;
    this.#mapDirty = true;
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#silence(entry);
    // What is attached is taken off by its component; the entry stays for it until then.
    if (Object.keys(entry.parts).length === 0) this.#entries.delete(key);
  }

  #draw(now: number): void {
    this.#frame = 0;
    const moving = this.#drawCursors(now);
    if (this.#selectionsDirty) this.#drawSelections();
    const inking = this.#drawInk(now);
    if (this.#mapDirty && this.map !== null && now - this.#mapAt >= MAP_EVERY_MS) {
      this.#mapDirty = false;
      this.#mapAt = now;
      paintMinimap(
        this.map,
        this.view.rect,
        this.#notes,
        [...this.#entries]
          .filter(([key]) => key !== this.ownSelf)
          .map(([, entry]) => ({
            colour: entry.colour,
            viewport: entry.viewport,
            spot: entry.shown ? entry.track.newest : null,
          })),
      );
    }
    if (moving || inking) this.wake();
    else this.#sleep(now);
  }

  #drawCursors(now: number): boolean {
    const { camera, size } = this.view;
    const snap = Math.max(size.w, size.h) / camera.zoom;
    let moving = false;
    const outside: (Spot & { key: string })[] = [];
    for (const [key, entry] of this.#entries) {
      const { cursor, chip } = entry.parts;
      const look = cursorLook(now - entry.movedAt);
      const at =
        !entry.shown || look === 'away'
          ? null
          : this.#lessMotion.matches
            ? entry.track.newest
            : entry.track.at(now, snap);
      entry.spot = at === null ? null : toScreen(camera, at);
      if (at !== null && 'moving' in at && at.moving) {
        moving = true;
        this.#mapDirty = true;
      }
      const inView = entry.spot !== null && isInView(entry.spot, size);
      if (cursor) {
        show(cursor, inView);
        if (inView && entry.spot !== null) {
          cursor.style.transform = `translate3d(${entry.spot.x.toFixed(1)}px, ${entry.spot.y.toFixed(1)}px, 0)`;
          mark(cursor, 'look', look);
          mark(cursor, 'flip', entry.spot.x > size.w - FLIP_AT ? 'yes' : 'no');
        }
      }
      if (entry.spot !== null && !inView && chip) outside.push({ key, ...entry.spot });
    }
    this.#drawChips(outside);
    return moving;
  }

  #drawChips(outside: readonly (Spot & { key: string })[]): void {
    if (outside.length === 0 && !this.#hadChips) return;
    this.#hadChips = outside.length > 0;
    const { chips, cluster } = edgeChips(outside, { w: this.view.size.w, h: this.view.size.h - TOOLS_HIGH });
    const placed = new Map(chips.map((chip) => [chip.key, chip]));
    for (const [key, entry] of this.#entries) {
      const element = entry.parts.chip;
      if (!element) continue;
      const chip = placed.get(key);
      show(element, chip !== undefined);
      if (chip === undefined) continue;
      element.style.transform = `translate3d(${chip.x.toFixed(1)}px, ${chip.y.toFixed(1)}px, 0)`;
      element.style.setProperty('--angle', `${chip.angle.toFixed(3)}rad`);
    }
    if (this.cluster === null) return;
    show(this.cluster, cluster !== null);
    if (cluster === null) return;
    this.cluster.style.transform = `translate3d(${cluster.x.toFixed(1)}px, ${cluster.y.toFixed(1)}px, 0)`;
    const count = String(cluster.count);
    if (this.cluster.dataset['count'] !== count) {
      this.cluster.dataset['count'] = count;
      this.cluster.dispatchEvent(new CustomEvent('count', { detail: cluster.count }));
    }
  }

  #drawSelections(): void {
    this.#selectionsDirty = false;
    const { camera } = this.view;
    for (const { parts, selection } of this.#entries.values()) {
      const element = parts.selection;
      if (!element) continue;
      show(element, selection !== null);
      if (selection === null) continue;
      const { x, y } = toScreen(camera, selection);
      element.style.transform = `translate3d(${x.toFixed(1)}px, ${y.toFixed(1)}px, 0)`;
      element.style.width = `${(selection.w * camera.zoom).toFixed(1)}px`;
      element.style.height = `${(selection.h * camera.zoom).toFixed(1)}px`;
    }
  }

  #drawInk(now: number): boolean {
    const all = [...this.#entries.values()].map(({ colour, strokes }) => ({ colour, strokes }));
    all.push({ colour: this.ownColour, strokes: this.ownStrokes });
    const inking = all.map(({ strokes }) => fade(strokes, now)).includes(true);
    if (this.ink !== null && (inking || this.#inked)) paintInk(this.ink, this.view.camera, all, now);
    this.#inked = inking;
    return inking;
  }

  /** Nothing moves: the next frame is when a look changes or the map is due. */
  #sleep(now: number): void {
    clearTimeout(this.#timer);
    const waits = [...this.#entries.values()]
      .filter((entry) => entry.shown)
      .map((entry) => nextLookIn(now - entry.movedAt))
      .filter((wait) => wait !== null);
    if (this.#mapDirty && this.map !== null) waits.push(MAP_EVERY_MS);
    if (waits.length > 0) this.#timer = setTimeout(() => this.wake(), Math.min(...waits) + 1);
  }
}

function show(element: HTMLElement, shown: boolean): void {
  if (element.hidden === shown) element.hidden = !shown;
}

function mark(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
