import { describe, expect, it } from 'vitest';
import { toBoard, ZOOM_MAX, ZOOM_MIN } from './camera';
import { pinched } from './pinch';

const camera = { x: -100, y: 40, zoom: 1.2 };
const spot = (x: number, y: number) => ({ x, y });

describe('pinched', () => {
  it('keeps what is under both fingers under them', () => {
    const from = [spot(100, 200), spot(300, 200)] as const;
    const to = [spot(80, 260), spot(380, 260)] as const;
    const next = pinched(camera, from, to);
    for (const finger of [0, 1] as const) {
      const [before, after] = [toBoard(camera, from[finger]), toBoard(next, to[finger])];
      expect(after.x).toBeCloseTo(before.x);
      expect(after.y).toBeCloseTo(before.y);
    }
    expect(next.zoom).toBeCloseTo(1.8);
  });

  it('only moves when the fingers stay as far apart', () => {
    const next = pinched(camera, [spot(0, 0), spot(50, 50)], [spot(30, 10), spot(80, 60)]);
    expect(next.zoom).toBe(1.2);
    expect(next.x).toBeCloseTo(-100 - 30 / 1.2);
  });

  it('has the nearest and the farthest zoom of any other way, and takes fingers that meet', () => {
    expect(pinched(camera, [spot(0, 0), spot(10, 0)], [spot(0, 0), spot(9_000, 0)]).zoom).toBe(ZOOM_MAX);
    expect(pinched(camera, [spot(0, 0), spot(9_000, 0)], [spot(5, 5), spot(5, 5)]).zoom).toBe(ZOOM_MIN);
    expect(pinched(camera, [spot(5, 5), spot(5, 5)], [spot(5, 5), spot(5, 5)])).toEqual(camera);
  });
});
