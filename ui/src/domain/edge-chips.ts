/**
 * Where the people are who point at something outside this view: a chip at the edge in their direction. More than five
 * of them become four chips and a cluster that counts the rest.
 */
import type { Size, Spot } from './camera';

export interface Chip {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  /** Radians from the chip towards the cursor. */
  readonly angle: number;
}

export interface Chips {
  readonly chips: readonly Chip[];
  readonly cluster: (Spot & { readonly count: number }) | null;
}

export const CHIPS_MAX = 5;
const INSET = 26;
/** Chips on the same side keep this distance. */
const APART = 34;

/** Whether a cursor on this spot of the screen is drawn as itself. */
export const isInView = (spot: Spot, size: Size): boolean =>
  spot.x >= 0 && spot.y >= 0 && spot.x <= size.w && spot.y <= size.h;

export function edgeChips(cursors: readonly (Spot & { key: string })[], size: Size): Chips {
  const outside = cursors.filter((cursor) => !isInView(cursor, size)).map((cursor) => placed(cursor, size));
  const crowded = outside.length > CHIPS_MAX;
  // The nearest stay; ties by key, so that two at the same distance do not swap back and forth.
  const near = [...outside].sort((a, b) => a.distance - b.distance || (a.key < b.key ? -1 : 1));
  const shown = crowded ? near.slice(0, CHIPS_MAX - 1) : near;
  const rest = crowded ? near.slice(CHIPS_MAX - 1) : [];
  const chips = spread(
    shown.sort((a, b) => (a.key < b.key ? -1 : 1)),
    size,
  );
  if (rest.length === 0) return { chips, cluster: null };
  const mean = {
    x: rest.reduce((sum, cursor) => sum + cursor.at.x, 0) / rest.length,
    y: rest.reduce((sum, cursor) => sum + cursor.at.y, 0) / rest.length,
  };
  const cluster = spread([...shown, placed({ ...mean, key: '\uffff' }, size)], size).at(-1);
  return { chips, cluster: cluster ? { x: cluster.x, y: cluster.y, count: rest.length } : null };
}

interface Placed extends Chip {
  readonly distance: number;
  readonly at: Spot;
}

/** On the line from the middle of the view to the cursor, where it meets the inset edge. */
function placed(cursor: Spot & { key: string }, size: Size): Placed {
  const middle = { x: size.w / 2, y: size.h / 2 };
  const dx = cursor.x - middle.x;
  const dy = cursor.y - middle.y;
  const reach = Math.min(
    dx === 0 ? Infinity : (middle.x - INSET) / Math.abs(dx),
    dy === 0 ? Infinity : (middle.y - INSET) / Math.abs(dy),
  );
  const scale = Number.isFinite(reach) ? Math.max(0, reach) : 0;
  return {
    key: cursor.key,
    x: middle.x + dx * scale,
    y: middle.y + dy * scale,
    angle: Math.atan2(dy, dx),
    distance: Math.hypot(dx, dy),
    at: { x: cursor.x, y: cursor.y },
  };
}

/** Moves chips that would cover each other apart along their edge. */
function spread(chips: readonly Chip[], size: Size): Chip[] {
  const taken: Chip[] = [];
  for (const chip of chips) {
    const upright = chip.x <= INSET + 1 || chip.x >= size.w - INSET - 1;
    let { x, y } = chip;
    const covered = () => taken.some((other) => Math.hypot(other.x - x, other.y - y) < APART - 0.5);
    for (let step = 1; step <= 16 && covered(); step++) {
      const by = Math.ceil(step / 2) * APART * (step % 2 === 1 ? 1 : -1);
      x = upright ? chip.x : Math.min(size.w - INSET, Math.max(INSET, chip.x + by));
      y = upright ? Math.min(size.h - INSET, Math.max(INSET, chip.y + by)) : chip.y;
    }
    taken.push({ key: chip.key, x, y, angle: chip.angle });
  }
  return taken;
}
