/**
 * Notes seen from so far that they are blocks of their colour: painted on one canvas, since two thousand elements would be
 * drawn anew whenever anything above them moves.
 */
import type { Note } from 'parlor-client';
import { toScreen, type Camera, type Rect, type Size } from '../domain/camera';
import { noteColour } from '../domain/note-colour';
import { touches } from '../domain/note-geometry';
import type { Colours } from './note-picture';

export interface Blocks {
  /** From the lowest to the one on top. */
  readonly notes: Iterable<Note>;
  readonly placeOf: (note: Note) => Rect;
  /** The colour of whoever selected it or writes in it. */
  readonly markOf: (id: string) => string | null;
}

const CORNER = 2;

export function paintBlocks(canvas: HTMLCanvasElement, camera: Camera, size: Size, blocks: Blocks, colours: Colours): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(size.w * ratio), Math.round(size.h * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.w, size.h);
  context.lineWidth = 1;
  const view = { x: camera.x, y: camera.y, w: size.w / camera.zoom, h: size.h / camera.zoom };
  for (const note of blocks.notes) {
    const place = blocks.placeOf(note);
    if (!touches(place, view)) continue;
    const { x, y } = toScreen(camera, place);
    const [w, h] = [Math.max(2, place.w * camera.zoom), Math.max(2, place.h * camera.zoom)];
    const { paper, value } = noteColour(note.color);
    const mark = blocks.markOf(note.id);
    context.fillStyle = paper === null ? value : colours.papers[paper];
    context.strokeStyle = mark ?? colours.edge;
    context.lineWidth = mark === null ? 1 : 2;
    context.beginPath();
    context.roundRect(x, y, w, h, Math.min(CORNER, w / 3, h / 3));
    context.fill();
    context.stroke();
  }
}
