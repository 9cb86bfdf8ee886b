/** What the pointer does to notes: selects, drags and resizes them. A drag is told while it lasts, and written at its end. */
import { toBoard, type Rect, type Spot } from '../domain/camera';
import { notesIn, placeOf, resized, stacked } from '../domain/note-geometry';
import { dragFrom, kindOf, twiceNear } from '../domain/pointer-kind';
import type { RoomSession } from '../room/session.svelte';
import { detailAt } from './note-detail';
import type { NoteMotion } from './note-motion';

/** What is under way between a press and its end; spots are of the screen. */
export interface Hold {
  move(spot: Spot, event: PointerEvent): void;
  end(): void;
  cancel(): void;
}

const MOVING_EXPIRES_MS = 2_000;
const MOVING_AGAIN_MS = 1_000;
const TWICE_MS = 400;

/** The note that an element is of; null when it is of none. */
export const noteAt = (target: EventTarget | null): string | null =>
  (target instanceof Element ? target.closest<HTMLElement>('[data-note]')?.dataset['note'] : null) ?? null;

export const isCorner = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('[data-corner]') !== null;

export class NoteGestures {
  #pressed: { readonly what: string | null; readonly at: Spot; readonly when: number } | null = null;

  constructor(
    private readonly session: RoomSession,
    private readonly motion: NoteMotion,
  ) {}

  /** The note at a spot of the board's bare surface: from far away notes are painted, and are no elements. */
  under(spot: Spot): string | null {
    const { view, board } = this.session;
    if (detailAt(view.camera.zoom) !== 'block') return null;
    const { x, y } = toBoard(view.camera, spot);
    return stacked(notesIn(board.notes.all.values(), { x, y, w: 0, h: 0 })).at(-1)?.id ?? null;
  }

  /** Whether this press is the second of two at one place: on a note, or on nothing. */
  isTwice(what: string | null, at: Spot, event: PointerEvent): boolean {
    const before = this.#pressed;
    const when = event.timeStamp;
    const twice =
      before !== null &&
      before.what === what &&
      when - before.when < TWICE_MS &&
      Math.hypot(at.x - before.at.x, at.y - before.at.y) < twiceNear(kindOf(event));
    this.#pressed = twice ? null : { what, at, when };
    return twice;
  }

  /** A press on a note with the selecting tool. */
  press(id: string, from: Spot, event: PointerEvent, twice: boolean): Hold {
    const { notes, editor } = this.session.board;
    const adds = event.shiftKey || event.ctrlKey || event.metaKey;
    const wasSelected = notes.selected.has(id);
    if (adds) notes.toggle(id);
    else if (!wasSelected) notes.select([id]);
    let by: Spot | null = null;
    let may = true;
    let again: ReturnType<typeof setInterval> | undefined;
    const tell = () => {
      if (by !== null) this.session.outbox.set({ moving: { dx: by.x, dy: by.y } }, { moving: MOVING_EXPIRES_MS });
    };
    const stop = () => {
      clearInterval(again);
      if (by !== null) this.session.outbox.setNow({ moving: undefined });
    };
    return {
      move: (spot, event) => {
        const [x, y] = [spot.x - from.x, spot.y - from.y];
        if (by === null && (Math.hypot(x, y) < dragFrom(kindOf(event)) || !may)) return;
        if (by === null) {
          may = notes.may();
          if (!may) return;
          if (!notes.selected.has(id)) notes.select([id]);
          again = setInterval(tell, MOVING_AGAIN_MS);
          this.session.follow.stop();
        }
        const { zoom } = this.session.view.camera;
        by = { x: Math.round(x / zoom), y: Math.round(y / zoom) };
        this.motion.drag(notes.selected, by);
        tell();
      },
      end: () => {
        if (by !== null) {
          notes.moveBy(notes.selected, by.x, by.y);
          stop();
          this.motion.release();
        } else if (twice && !adds) editor.start(id);
        else if (wasSelected && !adds) notes.select([id]);
      },
      cancel: () => {
        stop();
        this.motion.release();
      },
    };
  }

  /** A press on the corner of a note. */
  pull(id: string, from: Spot): Hold {
    const { notes } = this.session.board;
    const note = notes.all.get(id);
    const place = note === undefined ? null : placeOf(note);
    const corner = place === null ? null : { x: place.x + place.w, y: place.y + place.h };
    const start = toBoard(this.session.view.camera, from);
    let size: { w: number; h: number } | null = null;
    const may = notes.may();
    return {
      move: (spot, event) => {
        if (place === null || corner === null || !may) return;
        const at = toBoard(this.session.view.camera, spot);
        size = resized(place, { x: corner.x + at.x - start.x, y: corner.y + at.y - start.y }, event.shiftKey);
        this.motion.resize(id, size);
      },
      end: () => {
        if (size !== null && (size.w !== place?.w || size.h !== place?.h)) notes.resize(id, size);
        this.motion.release();
      },
      cancel: () => this.motion.release(),
    };
  }

  /** Selects what a rectangle touches, with what was selected before. */
  mark(part: Rect, before: ReadonlySet<string>): void {
    const { notes } = this.session.board;
    notes.select([...before, ...notesIn(notes.all.values(), part).map(({ id }) => id)]);
  }
}
