/**
 * Following: this view goes where another's is. Everything here is a function of what is known, so that a chain (A looks
 * with B, who looks with C) works by itself, and a loop is seen by everybody in it, who then stand still.
 */
import { centredOn, toScreen, viewOf, ZOOM_MAX, ZOOM_MIN, type Camera, type Rect, type Size } from './camera';

/** Two thirds of the way are done in this time, whatever the frame rate. */
const GLIDE_MS = 90;
/** Closer than this, in screen pixels, is there. */
const THERE = 0.4;

/** A camera for a view of this size that shows all of theirs, as large as it fits. */
export function lookingWith(theirs: Rect, size: Size): Camera {
  const fits = Math.min(size.w / Math.max(theirs.w, 1), size.h / Math.max(theirs.h, 1));
  const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, fits));
  return centredOn({ x: theirs.x + theirs.w / 2, y: theirs.y + theirs.h / 2 }, zoom, size);
}

/** The camera `elapsed` milliseconds further on its way, and exactly the goal once it is nearly there. */
export function glide(camera: Camera, goal: Camera, size: Size, elapsed: number): Camera {
  const left = Math.exp(-Math.max(0, elapsed) / GLIDE_MS);
  const zoom = goal.zoom * (camera.zoom / goal.zoom) ** left;
  const [from, to] = [middleOf(camera, size), middleOf(goal, size)];
  const next = centredOn({ x: to.x + (from.x - to.x) * left, y: to.y + (from.y - to.y) * left }, zoom, size);
  return isThere(next, goal, size) ? goal : next;
}

/** Whether no corner of the view is visibly off. */
function isThere(camera: Camera, goal: Camera, size: Size): boolean {
  const view = viewOf(goal, size);
  const corners = [
    [toScreen(camera, view), 0, 0],
    [toScreen(camera, { x: view.x + view.w, y: view.y + view.h }), size.w, size.h],
  ] as const;
  return corners.every(([at, x, y]) => Math.abs(at.x - x) < THERE && Math.abs(at.y - y) < THERE);
}

function middleOf(camera: Camera, size: Size) {
  const view = viewOf(camera, size);
  return { x: view.x + view.w / 2, y: view.y + view.h / 2 };
}

/**
 * Whether following leads back to this person. Nobody in such a loop moves: each would answer the other's answer, and
 * views of two sizes would zoom out for ever (reports W2).
 */
export function leadsBack(me: string, whom: string, follows: (memberId: string) => string | null): boolean {
  const seen = new Set<string>();
  for (let at: string | null = whom; at !== null && !seen.has(at); at = follows(at)) {
    if (at === me) return true;
    seen.add(at);
  }
  return false;
}
