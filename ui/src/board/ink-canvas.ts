/**
 * Paints fading strokes on the canvas over the board. The newest end is widest; the oldest thins out and goes. A pen that
 * presses harder draws wider.
 */
import { getStroke } from 'perfect-freehand';
import { toScreen, type Camera } from '../domain/camera';
import { INK_FADES_MS, type Stroke } from '../domain/ink';

/** From a fifth of the width under the lightest hand to nearly twice under the hardest. */
const PRESSED = 0.8;

export function paintInk(
  canvas: HTMLCanvasElement,
  camera: Camera,
  people: readonly { readonly colour: string; readonly strokes: readonly Stroke[] }[],
  now: number,
): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const { colour, strokes } of people) {
    for (const stroke of strokes) {
      const newest = stroke.points.at(-1);
      if (newest === undefined) continue;
      const felt = stroke.points.some(({ pressure }) => pressure !== null);
      const points = stroke.points.map((point) => ({ ...toScreen(camera, point), pressure: point.pressure ?? 0.5 }));
      const outline = getStroke(points, {
        size: stroke.kind === 'laser' ? 5 : 6,
        thinning: felt ? PRESSED : 0,
        simulatePressure: false,
        smoothing: 0.6,
        streamline: 0.3,
        start: { taper: stroke.kind === 'laser' ? 60 : 24, cap: true },
        end: { taper: 0, cap: true },
      });
      // A stroke that is not drawn on any more fades as a whole, too.
      const rest = 1 - (now - newest.at) / INK_FADES_MS[stroke.kind];
      context.globalAlpha = Math.min(1, Math.max(0, rest * 1.6)) * (stroke.kind === 'laser' ? 0.75 : 0.95);
      context.fillStyle = colour;
      context.beginPath();
      outline.forEach(([x = 0, y = 0], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.closePath();
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** Gives a canvas as many pixels as its place on the screen has. */
export function sizeCanvas(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
}
