/**
 * A picture of the board, drawn by hand on a canvas: the notes as they lie, in the colours of this window. Text is wrapped
 * as the board wraps it, so a note in the picture reads as it does here.
 */
import type { Note } from 'parlor-client';
import type { Rect } from '../domain/camera';
import { noteColour, PAPERS, type Paper } from '../domain/note-colour';
import { boundsOf, placeOf, stacked } from '../domain/note-geometry';
import { NOTE_PADDING, shownText, TEXT_SIZES, textSize } from '../domain/note-text';

export interface Colours {
  readonly board: string;
  readonly ink: string;
  readonly edge: string;
  readonly papers: Readonly<Record<Paper, string>>;
}

const MARGIN = 48;
/** More than this many pixels on a side, or in all, no browser paints for sure. */
const SIDE_MAX = 8_000;
const PIXELS_MAX = 40_000_000;

/** Breaks a text into lines of at most this width; a word that is wider is broken, and lines stay lines. */
export function wrapped(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/(?<=\s)(?=\S)/u)) {
      if (line !== '' && measure((line + word).trimEnd()) > width) {
        lines.push(line.trimEnd());
        line = '';
      }
      line += word;
      if (measure(line.trimEnd()) <= width) continue;
      let part = '';
      for (const letter of line) {
        if (part !== '' && measure(part + letter) > width) {
          lines.push(part);
          part = '';
        }
        part += letter;
      }
      line = part;
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

/** The part of the board that a picture shows, and how many pixels a unit has. */
export function frameOf(notes: Iterable<Note>): (Rect & { readonly scale: number }) | null {
  const bounds = boundsOf(notes);
  if (bounds === null) return null;
  const { x, y } = { x: bounds.x - MARGIN, y: bounds.y - MARGIN };
  const [w, h] = [bounds.w + 2 * MARGIN, bounds.h + 2 * MARGIN];
  const scale = Math.min(2, SIDE_MAX / w, SIDE_MAX / h, Math.sqrt(PIXELS_MAX / (w * h)));
  return { x, y, w, h, scale };
}

/** Paints all notes; null when there is none, or the browser has no canvas to give. */
export function paintBoard(notes: Iterable<Note>, colours: Colours): HTMLCanvasElement | null {
  const all = stacked(notes);
  const frame = frameOf(all);
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (frame === null || context === null) return null;
  canvas.width = Math.max(1, Math.round(frame.w * frame.scale));
  canvas.height = Math.max(1, Math.round(frame.h * frame.scale));
  context.fillStyle = colours.board;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(frame.scale, 0, 0, frame.scale, -frame.x * frame.scale, -frame.y * frame.scale);
  for (const note of all) paintNote(context, note, colours);
  return canvas;
}

function paintNote(context: CanvasRenderingContext2D, note: Note, colours: Colours): void {
  const { x, y, w, h } = placeOf(note);
  const colour = noteColour(note.color);
  context.fillStyle = colour.paper === null ? colour.value : colours.papers[colour.paper];
  context.strokeStyle = colours.edge;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x, y, w, h, 4);
  context.fill();
  context.stroke();
  const text = shownText(note.text);
  const { font, line } = TEXT_SIZES[textSize(text, w, h)];
  context.font = `400 ${font}px 'Inter Variable', system-ui, sans-serif`;
  context.fillStyle = colour.paper === null ? (colour.ink === 'dark' ? '#21201c' : '#fdfdfc') : colours.ink;
  context.textBaseline = 'middle';
  const lines = wrapped(text, w - 2 * NOTE_PADDING, (part) => context.measureText(part).width);
  const room = Math.max(1, Math.floor((h - 2 * NOTE_PADDING) / line));
  const shown = lines.slice(0, room);
  if (lines.length > room) shown[room - 1] = `${shown[room - 1] ?? ''}…`;
  context.save();
  context.beginPath();
  context.rect(x, y, w, h);
  context.clip();
  shown.forEach((words, i) => {
    const turned = /^[^\p{L}]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u.test(words);
    context.direction = turned ? 'rtl' : 'ltr';
    context.textAlign = turned ? 'right' : 'left';
    context.fillText(words, turned ? x + w - NOTE_PADDING : x + NOTE_PADDING, y + NOTE_PADDING + (i + 0.5) * line);
  });
  context.restore();
}

/** The colours that the window shows now, light or dark. */
export function coloursNow(): Colours {
  const probe = document.createElement('span');
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const read = (token: string): string => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const papers = Object.fromEntries(PAPERS.map((name) => [name, read(`--paper-${name}`)])) as Record<Paper, string>;
  const colours = { board: read('--board'), ink: read('--note-ink'), edge: read('--hairline'), papers };
  probe.remove();
  return colours;
}
