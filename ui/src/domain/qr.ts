/** How a code of squares becomes one shape, with its squares on whole pixels so that a camera finds their edges. */

/** Light squares on each side, which the standard asks for. */
export const QUIET = 4;

/** The dark squares as a path, a run of them at a time, in units of a square with the margin around. */
export function pathOf(rows: readonly string[]): string {
  const runs = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => ({ x: run.index, y, w: run[0].length })));
  return runs.map(({ x, y, w }) => `M${x + QUIET} ${y + QUIET}h${w}v1h-${w}z`).join('');
}

/** The side of the whole code: the most whole pixels a square that fit into `room`, and never fewer than two. */
export function sideOf(rows: readonly string[], room: number): number {
  const squares = rows.length + 2 * QUIET;
  return squares * Math.max(2, Math.floor(room / squares));
}
