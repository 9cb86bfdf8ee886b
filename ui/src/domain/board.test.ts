import { describe, expect, it } from 'vitest';
import {
  centredOn,
  fitting,
  gridOf,
  panned,
  rectBetween,
  toBoard,
  toScreen,
  viewOf,
  zoomed,
  ZOOM_MAX,
  ZOOM_MIN,
} from './camera';
import { heard, isWell, nextPhaseIn, phaseOf, type Trouble } from './connection';
import { cursorLook, nextLookIn } from './cursor-look';
import { CHIPS_MAX, edgeChips } from './edge-chips';
import { draw, fade, newStroke, receiveInk, toValue, type Stroke } from './ink';
import { colourOf, cursorOf, inkOf, nameOf, roleOf, selectionOf, statusOf } from './seen';

const size = { w: 800, h: 600 };

describe('camera', () => {
  const camera = { x: -30, y: 12, zoom: 1.7 };

  it('goes to the board and back', () => {
    const there = toBoard(camera, { x: 321, y: 54 });
    expect(toScreen(camera, there).x).toBeCloseTo(321);
    expect(toScreen(camera, there).y).toBeCloseTo(54);
  });

  it('zooms about the pointer: what is under it stays under it', () => {
    const about = { x: 200, y: 500 };
    const before = toBoard(camera, about);
    const after = toBoard(zoomed(camera, 2.5, about), about);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it('has a nearest and a farthest zoom', () => {
    expect(zoomed(camera, 1e6, { x: 0, y: 0 }).zoom).toBe(ZOOM_MAX);
    expect(zoomed(camera, 1e-6, { x: 0, y: 0 }).zoom).toBe(ZOOM_MIN);
  });

  it('pans with the hand at any zoom', () => {
    const spot = toBoard(camera, { x: 100, y: 100 });
    const moved = toScreen(panned(camera, 40, -10), spot);
    expect(moved.x).toBeCloseTo(140);
    expect(moved.y).toBeCloseTo(90);
  });

  it('fits everyone into the view', () => {
    const rects = [
      { x: 0, y: 0, w: 3_000, h: 400 },
      { x: -500, y: 900, w: 10, h: 10 },
    ];
    const fitted = fitting(rects, size);
    expect(fitted).not.toBeNull();
    const view = viewOf(fitted ?? camera, size);
    expect(view.x).toBeLessThanOrEqual(-500);
    expect(view.x + view.w).toBeGreaterThanOrEqual(3_000);
    expect(fitting([], size)).toBeNull();
    expect(fitting([{ x: 0, y: 0, w: 1, h: 1 }], size)?.zoom).toBe(1);
  });

  it('centres', () => {
    const view = viewOf(centredOn({ x: 5, y: 6 }, 2, size), size);
    expect([view.x + view.w / 2, view.y + view.h / 2]).toEqual([5, 6]);
  });

  it('draws a rectangle whichever way the pointer went', () => {
    expect(rectBetween({ x: 9, y: 1 }, { x: 3, y: 4 })).toEqual({ x: 3, y: 1, w: 6, h: 3 });
  });

  it('keeps the dots of the grid apart and in place at every zoom', () => {
    for (let zoom = ZOOM_MIN; zoom <= ZOOM_MAX; zoom *= 1.13) {
      const grid = gridOf({ x: 123, y: -77, zoom });
      expect(grid.step).toBeGreaterThan(11.99);
      expect(grid.step).toBeLessThan(24.01);
      expect(grid.fine).toBeGreaterThanOrEqual(0);
      expect(grid.fine).toBeLessThanOrEqual(1);
      // The board's origin is always on a dot.
      const origin = toScreen({ x: 123, y: -77, zoom }, { x: 0, y: 0 });
      expect(
        Math.abs(Math.round((origin.x - grid.offsetX) / grid.step) * grid.step - (origin.x - grid.offsetX)),
      ).toBeLessThan(1e-6);
    }
  });
});

describe('edge chips', () => {
  const out = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `m${i}`, x: 2_000 + i * 40, y: 300 + i * 3 }));

  it('are for those outside only, at the edge in their direction', () => {
    const { chips, cluster } = edgeChips(
      [
        { key: 'in', x: 10, y: 10 },
        { key: 'right', x: 5_000, y: 300 },
        { key: 'up', x: 400, y: -900 },
      ],
      size,
    );
    expect(cluster).toBeNull();
    expect(chips.map(({ key }) => key)).toEqual(['right', 'up']);
    expect(chips[0]).toMatchObject({ x: 774, y: 300, angle: 0 });
    expect(chips[1]).toMatchObject({ x: 400, y: 26, angle: -Math.PI / 2 });
  });

  it('become a cluster above five', () => {
    expect(edgeChips(out(CHIPS_MAX), size)).toMatchObject({ cluster: null });
    const { chips, cluster } = edgeChips(out(9), size);
    expect(chips.length).toBe(4);
    expect(cluster?.count).toBe(5);
  });

  it('do not cover each other and stay inside', () => {
    const { chips, cluster } = edgeChips(out(12), size);
    const all = [...chips, ...(cluster ? [cluster] : [])];
    all.forEach((a, i) => {
      expect(a.x >= 0 && a.x <= size.w && a.y >= 0 && a.y <= size.h).toBe(true);
      for (const b of all.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(30);
    });
  });
});

describe('cursor look', () => {
  it.each([
    [0, 'labelled'],
    [2_999, 'labelled'],
    [3_000, 'bare'],
    [10_000, 'idle'],
    [60_000, 'away'],
  ] as const)('%d ms after a move', (since, look) => expect(cursorLook(since)).toBe(look));
  it('knows when it changes next', () => {
    expect(nextLookIn(0)).toBe(3_000);
    expect(nextLookIn(4_000)).toBe(6_000);
    expect(nextLookIn(60_000)).toBeNull();
  });
});

describe('connection', () => {
  const phases = (moments: [number, boolean][], at: number) =>
    phaseOf(
      moments.reduce<Trouble>((trouble, [now, well]) => heard(trouble, well, now), { since: null, backAt: null }),
      at,
    );

  it('is silent under two seconds, amber until ten, then red', () => {
    expect(phases([[0, false]], 1_999)).toBe('quiet');
    expect(
      phases(
        [
          [0, false],
          [500, false],
        ],
        2_000,
      ),
    ).toBe('amber');
    expect(phases([[0, false]], 10_000)).toBe('red');
  });

  it('is green for two seconds when it is back, if anything was shown', () => {
    expect(
      phases(
        [
          [0, false],
          [5_000, true],
        ],
        5_500,
      ),
    ).toBe('back');
    expect(
      phases(
        [
          [0, false],
          [5_000, true],
        ],
        7_000,
      ),
    ).toBe('quiet');
    expect(
      phases(
        [
          [0, false],
          [1_000, true],
        ],
        1_001,
      ),
    ).toBe('quiet');
  });

  it('knows when it changes by itself', () => {
    expect(nextPhaseIn({ since: 0, backAt: null }, 500)).toBe(1_500);
    expect(nextPhaseIn({ since: 0, backAt: null }, 3_000)).toBe(7_000);
    expect(nextPhaseIn({ since: null, backAt: 100 }, 100)).toBe(2_000);
    expect(nextPhaseIn({ since: null, backAt: null }, 0)).toBeNull();
  });

  it('takes one silent person for that person’s trouble', () => {
    expect(isWell(true, true, 1, 0)).toBe(true);
    expect(isWell(true, true, 3, 1)).toBe(true);
    expect(isWell(true, true, 3, 0)).toBe(false);
    expect(isWell(false, true, 0, 0)).toBe(false);
    expect(isWell(true, false, 0, 0)).toBe(false);
  });
});

describe('ink', () => {
  it('arrives whole when every second update is lost', () => {
    const mine = newStroke(7, 'pen');
    const theirs: Stroke[] = [];
    for (let i = 0; i < 200; i++) {
      draw(mine, { x: i * 3, y: i % 9 }, i);
      const value = toValue(mine);
      if (i % 14 === 13 && value !== null) receiveInk(theirs, value, i);
    }
    const points = theirs[0]?.points.map(({ x, y }) => [x, y]);
    expect(points?.length).toBe(196);
    expect(points).toEqual(mine.points.slice(0, 196).map(({ x, y }) => [x, y]));
  });

  it('fades to nothing', () => {
    const strokes: Stroke[] = [];
    receiveInk(strokes, { s: 1, n: 0, k: 'pen', p: [1, 1, 2, 2] }, 0);
    expect(fade(strokes, 1_199)).toBe(true);
    expect(fade(strokes, 1_200)).toBe(false);
    // The same value once more, as after a snapshot, brings nothing back.
    receiveInk(strokes, { s: 1, n: 0, k: 'pen', p: [1, 1, 2, 2] }, 1_300);
    expect(fade(strokes, 1_300)).toBe(false);
  });

  it('stays small on the wire', () => {
    const stroke = newStroke(1, 'pen');
    for (let i = 0; i < 500; i++) draw(stroke, { x: 9_000 + i * 9, y: -8_000 + i * 7 }, 0);
    expect(JSON.stringify(toValue(stroke)).length).toBeLessThan(256);
  });
});

describe('what others say', () => {
  it('is read field by field and never trusted', () => {
    expect(cursorOf({ cursor: 128 })).toBeNull();
    expect(cursorOf({ cursor: { x: 1, y: 1e300 } })).toBeNull();
    expect(cursorOf({ cursor: { x: 1, y: 2, t: 'now', pts: 7 } })).toEqual({ x: 1, y: 2, t: undefined });
    expect(cursorOf({ cursor: { x: 1, y: 2, t: 9, pts: [[0, 0, 8], ['a', 0, 8], [0, 0, 10], null] } })).toEqual({
      x: 1,
      y: 2,
      t: 9,
      pts: [[0, 0, 8]],
    });
    expect(selectionOf({ selection: { from: 1, to: 2 } })).toBeNull();
    expect(selectionOf({ selection: { x: 0, y: 0, w: -1, h: 1 } })).toBeNull();
    expect(inkOf({ ink: { s: 1, n: 0, p: [1, 'x'] } })).toBeNull();
    expect(colourOf({ color: 'url(//x)' }, 'u_a')).toMatch(/^#[0-9a-f]{6}$/);
  });

  it('is one short line of text', () => {
    expect(nameOf({ name: 'a\u202eb\nc' }, '')).toBe('ab c');
    expect(nameOf({ name: 7 }, 'Quiet Otter')).toBe('Quiet Otter');
    expect(Array.from(nameOf({ name: 'x'.repeat(500) }, '')).length).toBe(48);
    expect(statusOf({ status: 'online' })).toBeNull();
    expect(statusOf({ status: 'back at 14:00' })).toBe('back at 14:00');
    expect(roleOf({}, { role: 'incident_commander' })).toBe('Incident commander');
    expect(roleOf({ role: '__' }, {})).toBeNull();
  });
});
