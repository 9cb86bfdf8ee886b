/** The small map: the notes, which part of the board each person looks at, and where they point. */
import type { Note } from 'parlor-client';
import { union, type Rect, type Size, type Spot } from '../domain/camera';
import { noteColour } from '../domain/note-colour';
import { placeOf, stacked, worthFitting } from '../domain/note-geometry';
import { coloursNow, type Colours } from './note-picture';

export interface Looker {
  readonly colour: string;
  readonly viewport: Rect | null;
  readonly spot: Spot | null;
}

/** Notes as the map needs them, made when they change and not whenever it is painted. */
export interface MapNotes {
  readonly places: readonly { readonly place: Rect; readonly colour: string }[];
  readonly bounds: Rect | null;
}

/** So much of the board, by ten, is what the map shows of notes at most. */
const CROWD: Size = { w: 2_000, h: 1_000 };

export function mapNotes(notes: Iterable<Note>): MapNotes {
  const places = stacked(notes).map((note) => {
    const { paper, value } = noteColour(note.color);
    return { place: placeOf(note), colour: paper ?? value };
  });
  // One at the end of the world would make dots of all others.
  return { places, bounds: union(worthFitting(places.map(({ place }) => place), CROWD)) };
}

/** The part of the board that the map shows, with some room around. */
export function mapBounds(own: Rect, lookers: readonly Looker[], notes: Rect | null = null): Rect {
  const seen = lookers.flatMap(({ viewport, spot }) => [
    ...(viewport ? [viewport] : []),
    ...(spot ? [{ x: spot.x, y: spot.y, w: 1, h: 1 }] : []),
  ]);
  const all = union([own, ...(notes ? [notes] : []), ...seen]) ?? own;
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

/** The notes of the map, painted once for a scale; people move over them many times a second. */
let painted: { readonly canvas: HTMLCanvasElement; readonly of: MapNotes; readonly key: string } | null = null;

function notesAt(notes: MapNotes, at: MapScale, width: number, height: number, ratio: number, edge: string): HTMLCanvasElement {
  const { papers, id } = paperColours();
  const key = [at.scale, at.left, at.top, width, height, ratio, edge, id].join(' ');
  if (painted?.of === notes && painted.key === key) return painted.canvas;
  const canvas = painted?.canvas ?? document.createElement('canvas');
  painted = { canvas, of: notes, key };
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.strokeStyle = edge;
  context.lineWidth = 0.5;
  for (const { place, colour } of notes.places) {
    const [x, y] = [at.left + place.x * at.scale, at.top + place.y * at.scale];
    const [w, h] = [place.w * at.scale, place.h * at.scale];
    context.globalAlpha = 1;
    context.fillStyle = colour in papers ? papers[colour as keyof typeof papers] : colour;
    context.fillRect(x, y, Math.max(1.5, w), Math.max(1.5, h));
    if (w < 6) continue;
    context.globalAlpha = 0.25;
    context.strokeRect(x, y, w, h);
  }
  return canvas;
}

let last: MapScale = { scale: 1, left: 0, top: 0 };

/** The spot of the board under a spot of the map as it was painted last. */
export const fromMap = (spot: Spot): Spot => ({
  x: (spot.x - last.left) / last.scale,
  y: (spot.y - last.top) / last.scale,
});

let colours: Colours | null = null;

/** The papers have other colours from now on: asked for anew when the map is painted next. */
export function coloursChanged(): void {
  colours = null;
}

function paperColours(): { readonly papers: Colours['papers']; readonly id: string } {
  const { papers } = (colours ??= coloursNow());
  return { papers, id: Object.values(papers).join(' ') };
}

export function paintMinimap(
  canvas: HTMLCanvasElement,
  own: Rect,
  notes: MapNotes,
  lookers: readonly Looker[],
): void {
  const context = canvas.getContext('2d');
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (context === null || width === 0) return;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  last = mapScale(mapBounds(own, lookers, notes.bounds), width, height);
  const { scale, left, top } = last;
  const place = ({ x, y, w, h }: Rect) => [left + x * scale, top + y * scale, w * scale, h * scale] as const;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (notes.places.length > 0) {
    const edge = getComputedStyle(canvas).color;
    context.drawImage(notesAt(notes, last, width, height, ratio, edge), 0, 0, width, height);
  }
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
