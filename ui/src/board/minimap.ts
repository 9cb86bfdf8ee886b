/** The small map: which part of the board each person looks at, and where they point. */
import { union, type Rect, type Spot } from '../domain/camera';

export interface Looker {
  readonly colour: string;
  readonly viewport: Rect | null;
  readonly spot: Spot | null;
}

/** The part of the board that the map shows, with some room around. */
export function mapBounds(own: Rect, lookers: readonly Looker[]): Rect {
  const seen = lookers.flatMap(({ viewport, spot }) => [
    ...(viewport ? [viewport] : []),
    ...(spot ? [{ x: spot.x, y: spot.y, w: 1, h: 1 }] : []),
  ]);
  const all = union([own, ...seen]) ?? own;
  const margin = Math.max(all.w, all.h) * 0.06;
  return { x: all.x - margin, y: all.y - margin, w: all.w + 2 * margin, h: all.h + 2 * margin };
}

export interface MapScale {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

export function mapScale(bounds: Rect, width: number, height: number): MapScale {
  const scale = Math.min(width / bounds.w, height / bounds.h);
  return {
    scale,
    left: (width - bounds.w * scale) / 2 - bounds.x * scale,
    top: (height - bounds.h * scale) / 2 - bounds.y * scale,
  };
}

let last: MapScale = { scale: 1, left: 0, top: 0 };

/** The spot of the board under a spot of the map as it was painted last. */
export const fromMap = (spot: Spot): Spot => ({
  x: (spot.x - last.left) / last.scale,
  y: (spot.y - last.top) / last.scale,
});

export function paintMinimap(canvas: HTMLCanvasElement, own: Rect, lookers: readonly Looker[]): void {
  const context = canvas.getContext('2d');
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (context === null || width === 0) return;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  last = mapScale(mapBounds(own, lookers), width, height);
  const { scale, left, top } = last;
  const place = ({ x, y, w, h }: Rect) => [left + x * scale, top + y * scale, w * scale, h * scale] as const;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const { colour, viewport } of lookers) {
    if (viewport === null) continue;
    context.globalAlpha = 0.07;
    context.fillStyle = colour;
    context.fillRect(...place(viewport));
    context.globalAlpha = 0.75;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.strokeRect(...place(viewport));
  }
  for (const { colour, spot } of lookers) {
    if (spot === null) continue;
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(left + spot.x * scale, top + spot.y * scale, 2.2, 0, Math.PI * 2);
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = 1.5;
  context.strokeRect(...place(own));
}
