import { describe, expect, it } from 'vitest';
import { toScreen, viewOf, ZOOM_MIN, type Camera } from './camera';
import { glide, leadsBack, lookingWith } from './follow';

const size = { w: 800, h: 600 };

describe('lookingWith', () => {
  it('shows all of their view in the middle, as large as it fits', () => {
    const theirs = { x: 100, y: -50, w: 1600, h: 600 };
    const view = viewOf(lookingWith(theirs, size), size);
    expect(view).toEqual({ x: 100, y: -350, w: 1600, h: 1200 });
  });

  it('shows the same view of the same size exactly', () => {
    const camera = { x: 12, y: 34, zoom: 1.5 };
    expect(lookingWith(viewOf(camera, size), size)).toEqual(camera);
  });

  it('takes a view that cannot be', () => {
    expect(lookingWith({ x: 0, y: 0, w: 0, h: 0 }, size).zoom).toBeLessThan(9);
    expect(lookingWith({ x: 0, y: 0, w: 1e7, h: 1e7 }, size).zoom).toBe(ZOOM_MIN);
  });
});

describe('glide', () => {
  const from: Camera = { x: 0, y: 0, zoom: 1 };
  const goal: Camera = { x: 900, y: -300, zoom: 2 };
  const middle = (camera: Camera) => viewOf(camera, size).x + viewOf(camera, size).w / 2;

  it('comes nearer with every frame, never goes past, and arrives', () => {
    let camera = from;
    let before = middle(camera);
    let frames = 0;
    while (camera !== goal && frames < 200) {
      camera = glide(camera, goal, size, 16);
      expect(middle(camera)).toBeGreaterThanOrEqual(before);
      expect(middle(camera)).toBeLessThanOrEqual(middle(goal) + 1e-9);
      before = middle(camera);
      frames += 1;
    }
    expect(camera).toBe(goal);
    expect(frames * 16).toBeLessThan(1_200);
  });

  it('is as far after one long frame as after many short ones', () => {
    let short = from;
    for (let i = 0; i < 10; i++) short = glide(short, goal, size, 10);
    const long = glide(from, goal, size, 100);
    expect(short.x).toBeCloseTo(long.x);
    expect(short.zoom).toBeCloseTo(long.zoom);
  });

  it('keeps the middle on a straight way while it zooms', () => {
    const half = glide(from, goal, size, 60);
    const at = (camera: Camera) =>
      toScreen(goal, { x: middle(camera), y: viewOf(camera, size).y + viewOf(camera, size).h / 2 });
    const [a, b, c] = [at(from), at(half), at(goal)];
    expect((b.y - a.y) / (b.x - a.x)).toBeCloseTo((c.y - a.y) / (c.x - a.x));
  });
});

describe('leadsBack', () => {
  const follows = (map: Record<string, string>) => (id: string) => map[id] ?? null;

  // W2
  it('is false for a chain and true for each in a loop', () => {
    const chain = follows({ a: 'b', b: 'c' });
    expect(leadsBack('a', 'b', chain)).toBe(false);
    const loop = follows({ a: 'b', b: 'c', c: 'a' });
    for (const [me, whom] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ] as const)
      expect(leadsBack(me, whom, loop)).toBe(true);
    expect(leadsBack('a', 'b', follows({ a: 'b', b: 'a' }))).toBe(true);
  });

  // W2
  it('ends for who looks on at a loop of others', () => {
    expect(leadsBack('d', 'a', follows({ a: 'b', b: 'a', d: 'a' }))).toBe(false);
  });
});
