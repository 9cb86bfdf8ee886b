/**
 * The twelve colours of people, and which of them somebody takes (ux "Cursors"). White text on each has a contrast of at
 * least 4.6:1, and each works on a light and on a dark board, so a person has one colour on every screen.
 */
import { compareBytes } from 'parlor-client';

export const PALETTE = [
  '#286fe3',
  '#bc5806',
  '#ab4cc0',
  '#0d8367',
  '#d53b4a',
  '#118186',
  '#996d07',
  '#7d5ee0',
  '#278701',
  '#c83d8b',
  '#037ea7',
  '#787804',
] as const;

/** Joins closer than this were blind to each other. */
const RACE_MS = 5_000;

export function isOfPalette(colour: unknown): colour is string {
  return typeof colour === 'string' && (PALETTE as readonly string[]).includes(colour);
}

/** The saved colour if nobody has it, else the free one that is farthest in hue from all that are taken. */
export function chooseColour(saved: string | null | undefined, taken: readonly string[]): string {
  if (isOfPalette(saved) && !taken.includes(saved)) return saved;
  const free = PALETTE.filter((colour) => !taken.includes(colour));
  if (free.length === 0) return isOfPalette(saved) ? saved : leastUsed(taken);
  const hues = taken.filter(isOfPalette).map(hueOf);
  let best = free[0] ?? PALETTE[0];
  let bestDistance = -1;
  for (const colour of free) {
    const distance = hues.length === 0 ? 0 : Math.min(...hues.map((hue) => hueDistance(hue, hueOf(colour))));
    if (distance > bestDistance) [best, bestDistance] = [colour, distance];
  }
  return best;
}

export interface Claim {
  readonly id: string;
  readonly colour: string;
  /** RFC 3339, as in the member record. */
  readonly joinedAt: string;
}

/**
 * Whether I am the one of several holders of a colour who picks again: the one who came later, or, when we came at the
 * same time and could not see each other, the greater id. Everybody computes the same from the same rows.
 */
export function mustPickAgain(me: Claim, others: readonly Claim[]): boolean {
  return others.some((other) => {
    if (other.colour !== me.colour || other.id === me.id) return false;
    const apart = Date.parse(me.joinedAt) - Date.parse(other.joinedAt);
    if (Math.abs(apart) < RACE_MS || Number.isNaN(apart)) return compareBytes(me.id, other.id) > 0;
    return apart > 0;
  });
}

/** A colour for somebody who has none of the palette: the same on every screen. */
export function colourFor(id: string): string {
  let hash = 2166136261;
  for (const letter of id) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  return PALETTE[(hash >>> 0) % PALETTE.length] ?? PALETTE[0];
}

/** Degrees on the colour wheel. */
export function hueOf(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  if (range === 0) return 0;
  const sector = most === r ? ((g - b) / range + 6) % 6 : most === g ? (b - r) / range + 2 : (r - g) / range + 4;
  return sector * 60;
}

export function hueDistance(a: number, b: number): number {
  const apart = Math.abs(a - b) % 360;
  return Math.min(apart, 360 - apart);
}

function leastUsed(taken: readonly string[]): string {
  const uses = (colour: string) => taken.filter((other) => other === colour).length;
  return [...PALETTE].sort((a, b) => uses(a) - uses(b))[0] ?? PALETTE[0];
}
