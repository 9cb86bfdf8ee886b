/**
 * Reads what somebody's presence says. Presence is plain JSON of another's making: any field may be missing, of another
 * type, or meant for another tool, so each is read by itself and what does not fit counts as not said.
 */
import { colourFor, isOfPalette } from './colour';
import type { Rect, Spot } from './camera';
import type { CursorUpdate } from './cursor-track';
import { HARDEST, type InkValue } from './ink';
import { lineOf } from './line';
import type { Editing } from './note-lease';

export type Tool = 'select' | 'hand' | 'note' | 'pen' | 'laser';
export const TOOLS: readonly Tool[] = ['select', 'hand', 'note', 'pen', 'laser'];

/** Nobody's board is larger; what claims to be is nonsense. */
const FARTHEST = 1e7;
const NAME_LETTERS = 48;
const TEXT_LETTERS = 160;

type Bag = Readonly<Record<string, unknown>>;

export const nameOf = (presence: Bag, fallback: string): string =>
  lineOf(presence['name'], NAME_LETTERS) ?? lineOf(fallback, NAME_LETTERS) ?? '?';

export const colourOf = (presence: Bag, userId: string): string =>
  isOfPalette(presence['color']) ? presence['color'] : colourFor(userId);

export const isAway = (presence: Bag): boolean => presence['status'] === 'away';

/** The status that the person wrote, which `online` and `away` are not. */
export function statusOf(presence: Bag): string | null {
  const status = lineOf(presence['status'], TEXT_LETTERS);
  return status === 'online' || status === 'away' ? null : status;
}

/** The role, from presence or else from the member's metadata; `incident_commander` reads "Incident commander". */
export function roleOf(presence: Bag, metadata: Bag): string | null {
  const role = lineOf(presence['role'], NAME_LETTERS) ?? lineOf(metadata['role'], NAME_LETTERS);
  if (role === null) return null;
  const words = role.replaceAll('_', ' ').trim();
  return words === '' ? null : words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

export const chatOf = (presence: Bag): string | null => lineOf(presence['chat'], TEXT_LETTERS);

export const isTyping = (presence: Bag): boolean => presence['typing'] === true;

export const toolOf = (presence: Bag): Tool | null => TOOLS.find((tool) => tool === presence['tool']) ?? null;

/** Whose view this person looks along with; a member id. */
export const followingOf = (presence: Bag): string | null =>
  typeof presence['following'] === 'string' && presence['following'].length <= 512 ? presence['following'] : null;

/** Whether this person lets others look along. */
export function letsFollow(presence: Bag): boolean {
  const wishes = presence['private'];
  return !(isBag(wishes) && wishes['follow'] === true);
}

export function cursorOf(presence: Bag): CursorUpdate | null {
  const cursor = presence['cursor'];
  if (!isBag(cursor)) return null;
  const x = numberOf(cursor['x']);
  const y = numberOf(cursor['y']);
  if (x === null || y === null) return null;
  const t = typeof cursor['t'] === 'number' && Number.isFinite(cursor['t']) ? cursor['t'] : undefined;
  if (t === undefined || !Array.isArray(cursor['pts'])) return { x, y, t };
  const pts: [number, number, number][] = [];
  for (const point of cursor['pts'].slice(0, 4)) {
    if (!Array.isArray(point)) continue;
    const [px, py, pt] = [numberOf(point[0]), numberOf(point[1]), point[2]];
    // A point on the way is before the end and not long before it.
    if (px !== null && py !== null && typeof pt === 'number' && pt < t && t - pt < 2_000) pts.push([px, py, pt]);
  }
  return { x, y, t, pts };
}

export const selectionOf = (presence: Bag): Rect | null => rectOf(presence['selection']);

/** How many notes somebody says to have selected; more than fit are not said. */
export const SELECTED_MAX = 50;

/** Ids of the notes that somebody selected. */
export function selectedOf(presence: Bag): readonly string[] {
  const selected = presence['selected'];
  if (!Array.isArray(selected)) return [];
  return selected.slice(0, SELECTED_MAX).filter((id): id is string => typeof id === 'string' && id.length <= 64);
}

/** How far somebody has dragged what they selected, before it is written. */
export function movingOf(presence: Bag): Spot | null {
  const moving = presence['moving'];
  if (!isBag(moving)) return null;
  const [dx, dy] = [numberOf(moving['dx']), numberOf(moving['dy'])];
  return dx === null || dy === null ? null : { x: dx, y: dy };
}

/** Which note somebody writes in, and where in its text. */
export function editingOf(presence: Bag): Editing | null {
  const editing = presence['editing'];
  if (!isBag(editing) || typeof editing['note'] !== 'string' || editing['note'].length > 64) return null;
  const [from, to] = [numberOf(editing['from']) ?? 0, numberOf(editing['to']) ?? 0];
  return { note: editing['note'], from: Math.max(0, Math.min(from, to)), to: Math.max(0, from, to) };
}

export const viewportOf = (presence: Bag): Rect | null => rectOf(presence['viewport']);

export function inkOf(presence: Bag): InkValue | null {
  const ink = presence['ink'];
  if (!isBag(ink) || !Array.isArray(ink['p'])) return null;
  const [s, n] = [numberOf(ink['s']), numberOf(ink['n'])];
  const p = ink['p'].map(numberOf);
  if (s === null || n === null || n < 0 || p.length < 2 || p.length > 160 || p.includes(null)) return null;
  const value = { s, n, k: ink['k'] === 'laser' ? 'laser' : 'pen', p: p as number[] } as const;
  const w = pressuresOf(ink['w'], p.length / 2);
  return w === null ? value : { ...value, w };
}

/** One for each point, or none at all: a line of one width is a line as well. */
function pressuresOf(value: unknown, points: number): number[] | null {
  if (!Array.isArray(value) || value.length !== points) return null;
  return value.every((hard) => typeof hard === 'number' && hard >= 0 && hard <= HARDEST) ? value : null;
}

function rectOf(value: unknown): Rect | null {
  if (!isBag(value)) return null;
  const [x, y, w, h] = ['x', 'y', 'w', 'h'].map((key) => numberOf(value[key]));
  if (x == null || y == null || w == null || h == null || w < 0 || h < 0) return null;
  return { x, y, w, h };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Math.abs(value) <= FARTHEST ? value : null;
}

const isBag = (value: unknown): value is Bag => typeof value === 'object' && value !== null && !Array.isArray(value);
