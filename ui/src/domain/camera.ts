/**
 * The board's geometry: where a place on the board is on this screen and back. Positions of people are in board
 * coordinates, so everybody sees the same spot at any pan and zoom.
 */

export interface Camera {
  /** The board coordinates of the top left corner of the view. */
  readonly x: number;
  readonly y: number;
  /** Screen pixels for one board unit. */
  readonly zoom: number;
}

export interface Size {
  readonly w: number;
  readonly h: number;
}

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export type Rect = Spot & Size;

export const ZOOM_MIN = 0.1;
export const ZOOM_MAX = 8;

export const toScreen = (camera: Camera, spot: Spot): Spot => ({
  x: (spot.x - camera.x) * camera.zoom,
  y: (spot.y - camera.y) * camera.zoom,
});

export const toBoard = (camera: Camera, spot: Spot): Spot => ({
  x: spot.x / camera.zoom + camera.x,
  y: spot.y / camera.zoom + camera.y,
});

/** Moves the board by screen pixels, as a hand does: the board follows the hand. */
export const panned = (camera: Camera, dx: number, dy: number): Camera => ({
  ...camera,
  x: camera.x - dx / camera.zoom,
  y: camera.y - dy / camera.zoom,
});

/** Zooms by a factor; what is under `about`, a spot on the screen, stays under it. */
export function zoomed(camera: Camera, factor: number, about: Spot): Camera {
  const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, camera.zoom * factor));
  const under = toBoard(camera, about);
  return { x: under.x - about.x / zoom, y: under.y - about.y / zoom, zoom };
}

/** What of the board a view of this size shows. */
export const viewOf = (camera: Camera, size: Size): Rect => ({
  x: camera.x,
  y: camera.y,
  w: size.w / camera.zoom,
  h: size.h / camera.zoom,
});

export const centredOn = (spot: Spot, zoom: number, size: Size): Camera => ({
  x: spot.x - size.w / 2 / zoom,
  y: spot.y - size.h / 2 / zoom,
  zoom,
});

/** A camera that shows all of `rects`, with some room around, and never closer than life size. */
export function fitting(rects: readonly Rect[], size: Size, margin = 48): Camera | null {
  const all = union(rects);
  if (all === null) return null;
  const zoom = Math.min(
    1,
    Math.max(1, size.w - 2 * margin) / Math.max(all.w, 1),
    Math.max(1, size.h - 2 * margin) / Math.max(all.h, 1),
  );
  const allowed = Math.max(ZOOM_MIN, zoom);
  return centredOn({ x: all.x + all.w / 2, y: all.y + all.h / 2 }, allowed, size);
}

export function union(rects: readonly Rect[]): Rect | null {
  if (rects.length === 0) return null;
  const x = Math.min(...rects.map((rect) => rect.x));
  const y = Math.min(...rects.map((rect) => rect.y));
  const right = Math.max(...rects.map((rect) => rect.x + rect.w));
  const bottom = Math.max(...rects.map((rect) => rect.y + rect.h));
  return { x, y, w: right - x, h: bottom - y };
}

/** The rectangle between two corners, whichever way it was drawn. */
export const rectBetween = (a: Spot, b: Spot): Rect => ({
  x: Math.min(a.x, b.x),
  y: Math.min(a.y, b.y),
  w: Math.abs(a.x - b.x),
  h: Math.abs(a.y - b.y),
});

export interface Grid {
  /** Screen pixels between two dots. */
  readonly step: number;
  /** How visible the dots are that the next coarser level drops, 0 to 1. */
  readonly fine: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

const DOT_EVERY = 24;
const CLOSEST = 12;

/** The dot grid: it scales with the zoom, and when dots come too close every second one fades. */
export function gridOf(camera: Camera): Grid {
  const ideal = DOT_EVERY * camera.zoom;
  const level = Math.ceil(Math.log2(CLOSEST / ideal));
  const step = ideal * 2 ** level;
  const offset = (at: number) => -(((at * camera.zoom) % (step * 2)) + step * 2) % (step * 2);
  return {
    step,
    fine: Math.min(1, Math.max(0, step / CLOSEST - 1)),
    offsetX: offset(camera.x),
    offsetY: offset(camera.y),
  };
}
