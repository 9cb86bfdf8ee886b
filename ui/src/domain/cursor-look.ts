/** How a cursor looks by the time since it last moved (ux "Cursors"): label, bare arrow, half opacity, gone. */

export type CursorLook = 'labelled' | 'bare' | 'idle' | 'away';

const STEPS: readonly (readonly [CursorLook, number])[] = [
  ['labelled', 3_000],
  ['bare', 10_000],
  ['idle', 60_000],
];

export function cursorLook(sinceMove: number): CursorLook {
  return STEPS.find(([, until]) => sinceMove < until)?.[0] ?? 'away';
}

/** Milliseconds until the look changes by itself, or null when only a move changes it. */
export function nextLookIn(sinceMove: number): number | null {
  const until = STEPS.find(([, end]) => sinceMove < end)?.[1];
  return until === undefined ? null : until - sinceMove;
}
