/**
 * What pointer and wheel do on the board, by the tool in hand: mark a rectangle, handle notes, move the view, draw ink. Also
 * what others are told of it: the pointer while it is on the surface, the rectangle, the view.
 */
import { rectBetween, toBoard, toScreen, type Rect, type Spot } from '../domain/camera';
import { draw, INK_EXPIRES_MS, INK_FADES_MS, newStroke, toValue, type Stroke } from '../domain/ink';
import { placeOf } from '../domain/note-geometry';
import { pinched } from '../domain/pinch';
import { dragFrom, kindOf, LONG_PRESS_MS, PenHand, pressureOf } from '../domain/pointer-kind';
import { PointerSampler } from '../domain/pointer-sampler';
import type { RoomSession } from '../room/session.svelte';
import { isCorner, noteAt, type Hold, type NoteGestures } from './note-gestures';
import type { Stage } from './stage';

type Busy =
  | { readonly what: 'marking'; readonly from: Spot; readonly before: ReadonlySet<string>; moved: boolean }
  | { readonly what: 'handling'; readonly hold: Hold }
  | { readonly what: 'making'; readonly from: Spot }
  | { readonly what: 'panning'; last: Spot }
  | { readonly what: 'pinching' }
  | { readonly what: 'rested' }
  | { readonly what: 'drawing'; readonly stroke: Stroke };

const LINE = 16;
/** A note that would lie on another is made this much to the side. */
const ASIDE = 24;

export class Gestures {
  /** The hand is in use whatever the tool: space is held, or the middle button. */
  hand = $state(false);
  busy = $state(false);
  selection: Rect | null = null;
  /** The pointer's last spot on the surface, in its pixels. */
  pointer: Spot | null = null;
  onSelection: () => void = () => {};
  readonly #watchers = new Set<(spot: Spot) => void>();
  /** Fingers on the surface, and where each was last. */
  readonly #fingers = new Map<number, Spot>();
  readonly #penHand = new PenHand();
  /** A finger that rests on a note means to select it beside the others. */
  #resting: ReturnType<typeof setTimeout> | undefined;
  #restsAt: Spot = { x: 0, y: 0 };
  /** What touches the glass beside a pen, and means nothing. */
  readonly #palms = new Set<number>();
  /** What was selected before the first of them. */
  #before: ReadonlySet<string> = new Set();
  readonly #sampler = new PointerSampler(() => this.#point());
  #doing: Busy | null = null;
  /** The pointer that began it. */
  #by = -1;
  #strokeId = 0;
  #surface: HTMLElement | null = null;
  #clearInk: ReturnType<typeof setTimeout> | undefined;
  #standing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: RoomSession,
    private readonly stage: Stage,
    private readonly noteGestures: NoteGestures,
  ) {
    session.onCursorSent = () => this.#sampler.sent();
  }

  listen(surface: HTMLElement): () => void {
    this.#surface = surface;
    const ends: (() => void)[] = [];
    const on = <K extends keyof HTMLElementEventMap>(name: K, run: (event: HTMLElementEventMap[K]) => void) => {
      surface.addEventListener(name, run, { passive: false });
      ends.push(() => surface.removeEventListener(name, run));
    };
    on('pointermove', (event) => this.#move(event));
    on('pointerdown', (event) => this.#down(event));
    on('pointerup', (event) => this.#up(event));
    on('pointercancel', (event) => this.#up(event));
    on('pointerleave', () => this.#leave());
    on('wheel', (event) => this.#wheel(event));
    // A finger that rests has its own meaning here, and would have the system's menu opened as well.
    on('contextmenu', (event) => {
      const writes = event.target instanceof HTMLTextAreaElement;
      if (this.#fingers.size > 0 && !writes) event.preventDefault();
    });
    const space = (event: KeyboardEvent) => {
      if (event.code !== 'Space' || !(event.target === surface || event.target === document.body)) return;
      event.preventDefault();
      this.hand = event.type === 'keydown';
    };
    window.addEventListener('keydown', space);
    window.addEventListener('keyup', space);
    return () => {
      ends.forEach((end) => end());
      window.removeEventListener('keydown', space);
      window.removeEventListener('keyup', space);
    };
  }

  /** For what follows the pointer, such as the bubble one writes in. */
  follow(watcher: (spot: Spot) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.pointer ?? this.session.view.middle);
    return () => this.#watchers.delete(watcher);
  }

  cameraMoved(): void {
    this.session.outbox.set({ viewport: this.session.view.viewport });
    // The board moved under a resting pointer: it points at another spot now.
    if (this.pointer !== null) this.#sampler.move(toBoard(this.session.view.camera, this.pointer), performance.now());
  }

  /** Without a pointer on the board, what one says stands in the middle of what one sees. */
  standIn(): void {
    clearTimeout(this.#standing);
    const { view } = this.session;
    if (this.pointer === null) this.#sampler.move(toBoard(view.camera, view.middle), performance.now());
  }

  /** No longer, when what was said has passed. */
  standDown(wait: number): void {
    clearTimeout(this.#standing);
    this.#standing = setTimeout(() => this.pointer === null && this.#leave(), wait);
  }

  /** A note where one looks, by keys. */
  makeInView(): void {
    const { camera, middle } = this.session.view;
    const places = [...this.session.board.notes.all.values()].map(placeOf);
    let at = toBoard(camera, middle);
    // One that is made after another does not hide it.
    while (places.some(({ x, y, w, h }) => !isFar({ x: x + w / 2, y: y + h / 2 }, at, ASIDE))) {
      at = { x: at.x + ASIDE, y: at.y + ASIDE };
    }
    this.#make(toScreen(camera, at));
  }

  /** Takes back what is under way or marked; false when there is nothing. */
  cancel(): boolean {
    if (this.#doing === null && this.selection === null) return false;
    if (this.#doing?.what === 'handling') this.#doing.hold.cancel();
    clearTimeout(this.#resting);
    this.#doing = null;
    this.busy = false;
    this.#select(null);
    return true;
  }

  close(): void {
    this.#sampler.leave();
    clearTimeout(this.#clearInk);
    clearTimeout(this.#resting);
    clearTimeout(this.#standing);
  }

  #spot(event: PointerEvent | WheelEvent): Spot {
    const box = this.#surface?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  }

  #move(event: PointerEvent): void {
    if (this.#palms.has(event.pointerId)) return;
    const { view } = this.session;
    const spot = this.#spot(event);
    const fingers = this.#pair();
    if (this.#fingers.has(event.pointerId)) this.#fingers.set(event.pointerId, spot);
    if (this.#doing?.what === 'pinching') {
      const now = this.#pair();
      if (fingers !== null && now !== null) view.look(pinched(view.camera, fingers, now));
      return;
    }
    if (this.#doing !== null && event.pointerId !== this.#by) return;
    if (isFar(spot, this.#restsAt, dragFrom(kindOf(event)))) clearTimeout(this.#resting);
    this.pointer = spot;
    for (const watcher of this.#watchers) watcher(spot);
    const doing = this.#doing;
    if (doing?.what === 'panning') {
      view.pan(spot.x - doing.last.x, spot.y - doing.last.y);
      doing.last = spot;
      return; // the camera's move told where the pointer is now
    }
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const one of moves.length > 0 ? moves : [event]) {
      const at = toBoard(view.camera, this.#spot(one));
      this.#sampler.move(at, one.timeStamp);
      if (doing?.what === 'drawing') draw(doing.stroke, at, performance.now(), pressureOf(one));
    }
    if (doing?.what === 'drawing') this.#tellInk(doing.stroke);
    if (doing?.what === 'marking') {
      const from = doing.from;
      doing.moved ||= isFar(spot, from, dragFrom(kindOf(event)));
      if (doing.moved) {
        const part = rectBetween(toBoard(view.camera, from), toBoard(view.camera, spot));
        this.#select(part);
        this.noteGestures.mark(part, doing.before);
      }
    }
    if (doing?.what === 'handling') doing.hold.move(spot, event);
  }

  #down(event: PointerEvent): void {
    const note = event.target === this.#surface ? this.noteGestures.under(this.#spot(event)) : noteAt(event.target);
    if ((event.target !== this.#surface && note === null) || event.button > 1) return;
    if (event.target instanceof HTMLTextAreaElement) return; // the caret's business
    event.preventDefault();
    const { tool, view, board } = this.session;
    const kind = kindOf(event);
    const draws = tool === 'pen' || tool === 'laser';
    if (kind === 'touch' && this.#penHand.rests) return void this.#palms.add(event.pointerId);
    const corner = isCorner(event.target);
    this.#surface?.focus({ preventScroll: true });
    this.#surface?.setPointerCapture(event.pointerId);
    const spot = this.#spot(event);
    if (kind === 'pen') this.#penDown(draws);
    if (kind === 'touch') {
      this.#fingers.set(event.pointerId, spot);
      if (this.#fingers.size === 1) this.#before = board.notes.selected;
      if (this.#fingers.size > 1) return this.#pinch();
    }
    const twice = tool === 'select' && this.noteGestures.isTwice(note, spot, event);
    this.busy = true;
    this.#by = event.pointerId;
    if (kind === 'touch' && tool === 'select' && note !== null && !corner) this.#rest(note, spot);
    const moves = this.hand || tool === 'hand' || (kind === 'touch' && draws && this.#penHand.fingersMove);
    if (event.button === 1 || moves) {
      this.#doing = { what: 'panning', last: spot };
      this.hand ||= event.button === 1;
    } else if (tool === 'note' || (tool === 'select' && note === null && twice)) {
      this.#doing = { what: 'making', from: spot };
    } else if (tool === 'select' && note !== null) {
      this.#select(null);
      const hold = corner ? this.noteGestures.pull(note, spot) : this.noteGestures.press(note, spot, event, twice);
      this.#doing = { what: 'handling', hold };
    } else if (tool === 'select') {
      this.#select(null);
      const before = event.shiftKey ? board.notes.selected : new Set<string>();
      if (!event.shiftKey) board.notes.select([]);
      this.#doing = { what: 'marking', from: spot, before, moved: false };
    } else {
      // Stroke numbers of a visit that is over must not meet the new ones.
      this.#strokeId = Math.max(this.#strokeId + 1, Math.floor(performance.now()));
      const stroke = newStroke(this.#strokeId, tool);
      draw(stroke, toBoard(view.camera, spot), performance.now(), pressureOf(event));
      this.stage.ownStrokes.push(stroke);
      this.session.follow.stop();
      this.#doing = { what: 'drawing', stroke };
      this.#tellInk(stroke);
    }
  }

  /** A second finger: what the first began was not meant. */
  #pinch(): void {
    if (this.#doing?.what === 'pinching') return;
    this.#takeBack();
    this.#doing = { what: 'pinching' };
    this.busy = true;
  }

  /** A pen has the word: fingers that came before it are the hand that holds it. */
  #penDown(draws: boolean): void {
    this.#penHand.pressed(draws);
    if (this.#fingers.size === 0) return;
    for (const finger of this.#fingers.keys()) this.#palms.add(finger);
    this.#fingers.clear();
    this.#takeBack();
  }

  /** A finger on a note: when it stays there, the note is selected beside the others, or not any more. */
  #rest(note: string, spot: Spot): void {
    this.#restsAt = spot;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (this.#doing?.what !== 'handling') return;
      this.#doing.hold.cancel();
      this.#doing = { what: 'rested' };
      const { notes } = this.session.board;
      notes.select(this.#before);
      notes.toggle(note);
    }, LONG_PRESS_MS);
  }

  /** What fingers began is as if it had not been. */
  #takeBack(): void {
    const doing = this.#doing;
    if (doing?.what === 'drawing') {
      const place = this.stage.ownStrokes.indexOf(doing.stroke);
      if (place >= 0) this.stage.ownStrokes.splice(place, 1);
      clearTimeout(this.#clearInk);
      this.session.outbox.set({ ink: undefined });
    }
    this.cancel();
    this.session.board.notes.select(this.#before);
    this.#leave();
  }

  /** The first two fingers, when there are two. */
  #pair(): readonly [Spot, Spot] | null {
    const [a, b] = this.#fingers.values();
    return a === undefined || b === undefined ? null : [a, b];
  }

  #up(event: PointerEvent): void {
    if (this.#palms.delete(event.pointerId)) return;
    this.#fingers.delete(event.pointerId);
    if (kindOf(event) === 'pen') this.#penHand.lifted();
    if (this.#doing === null || (this.#doing.what !== 'pinching' && event.pointerId !== this.#by)) return;
    // The finger that stays on begins nothing.
    if (this.#doing.what === 'pinching' && this.#fingers.size > 0) return;
    if (event.button === 1) this.hand = false;
    clearTimeout(this.#resting);
    const doing = this.#doing;
    this.#doing = null;
    this.busy = false;
    const { x, y } = this.#spot(event);
    if (doing.what === 'handling') {
      if (event.type === 'pointerup') doing.hold.end();
      else doing.hold.cancel();
    }
    if (doing.what === 'making' && event.type === 'pointerup') this.#make({ x, y });
    // What the rectangle caught is outlined itself.
    if (doing.what === 'marking' && this.session.board.notes.selected.size > 0) this.#select(null);
    const { w, h } = this.session.view.size;
    if (x < 0 || y < 0 || x > w || y > h) this.#leave();
  }

  #make(spot: Spot): void {
    const { board, view } = this.session;
    const id = board.notes.create(toBoard(view.camera, spot));
    this.session.setTool('select');
    if (id !== null) board.editor.start(id);
  }

  #leave(): void {
    if (this.#doing !== null) return; // captured: it is still on its way
    this.pointer = null;
    this.#sampler.leave();
    this.session.outbox.setNow({ cursor: null });
  }

  #wheel(event: WheelEvent): void {
    const field = event.target;
    // A long text that is written scrolls in its note.
    if (field instanceof HTMLTextAreaElement && field.scrollHeight > field.clientHeight && !event.ctrlKey) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    const { view } = this.session;
    if (event.ctrlKey || event.metaKey) {
      // A trackpad's pinch comes in small steps, a wheel's notch as a hundred and more.
      const step = Math.max(-60, Math.min(60, event.deltaY * unit));
      view.zoom(Math.exp(-step * 0.0075), this.#spot(event));
    } else if (event.shiftKey && event.deltaX === 0) view.pan(-event.deltaY * unit, 0);
    else view.pan(-event.deltaX * unit, -event.deltaY * unit);
  }

  #point(): void {
    const value = this.session.own.hidesCursor ? null : this.#sampler.take();
    if (value !== null) this.session.outbox.set({ cursor: value });
  }

  #select(rect: Rect | null): void {
    if (rect === null && this.selection === null) return;
    this.selection = rect;
    this.onSelection();
    const whole = Math.round;
    this.session.outbox.set({
      selection: rect === null ? null : { x: whole(rect.x), y: whole(rect.y), w: whole(rect.w), h: whole(rect.h) },
    });
  }

  #tellInk(stroke: Stroke): void {
    this.stage.wake();
    const value = toValue(stroke);
    if (value === null) return;
    this.session.outbox.set({ ink: value }, { ink: INK_EXPIRES_MS });
    clearTimeout(this.#clearInk);
    this.#clearInk = setTimeout(() => this.session.outbox.set({ ink: undefined }), INK_FADES_MS[stroke.kind]);
  }
}

const isFar = (a: Spot, b: Spot, far: number): boolean => Math.hypot(a.x - b.x, a.y - b.y) >= far;
