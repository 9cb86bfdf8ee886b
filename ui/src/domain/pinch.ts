/** Two fingers on the board: what is under each of them stays under it, as far as moving and zooming can. */
import { toBoard, ZOOM_MAX, ZOOM_MIN, type Camera, type Spot } from './camera';

/** Fingers closer than this tell no distance. */
const CLOSEST = 10;

export function pinched(camera: Camera, from: readonly [Spot, Spot], to: readonly [Spot, Spot]): Camera {
  const [before, after] = [middle(from), middle(to)];
  const factor = Math.max(CLOSEST, apart(to)) / Math.max(CLOSEST, apart(from));
  const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, camera.zoom * factor));
  const under = toBoard(camera, before);
  return { x: under.x - after.x / zoom, y: under.y - after.y / zoom, zoom };
}

const middle = ([a, b]: readonly [Spot, Spot]): Spot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

const apart = ([a, b]: readonly [Spot, Spot]): number => Math.hypot(a.x - b.x, a.y - b.y);
