import { describe, expect, it } from 'vitest';
import { CursorTrack, positionAt, type Point } from './cursor-track';

const FAR = 1_000;
const line: Point[] = [0, 33, 66, 99].map((t) => ({ x: t, y: 2 * t, t }));

describe('positionAt', () => {
  it('has no position without points', () => {
    expect(positionAt([], 0, FAR)).toBeNull();
  });

  it('follows a straight and even way exactly', () => {
    for (const time of [33, 40, 50, 65]) {
      const at = positionAt(line, time, FAR);
      expect(at?.x).toBeCloseTo(time, 6);
      expect(at?.y).toBeCloseTo(2 * time, 6);
    }
  });

  it('passes through every point and has no corner there', () => {
    const points: Point[] = [
      [0, 0, 0],
      [30, 10, 33],
      [40, 50, 70],
      [10, 60, 100],
    ].map(([x = 0, y = 0, t = 0]) => ({ x, y, t }));
    const here = positionAt(points, 33, FAR);
    expect([here?.x, here?.y]).toEqual([30, 10]);
    const slope = (from: number, to: number) =>
      ((positionAt(points, to, FAR)?.x ?? 0) - (positionAt(points, from, FAR)?.x ?? 0)) / (to - from);
    expect(slope(32.99, 33)).toBeCloseTo(slope(33, 33.01), 1);
  });

  it('goes on for 50 ms at most and settles on the last point', () => {
    const at = (late: number) => positionAt(line, 99 + late, FAR);
    expect(at(20)?.x).toBeCloseTo(119, 6);
    const farthest = Math.max(...Array.from({ length: 300 }, (_, late) => at(late)?.x ?? 0));
    expect(farthest).toBeCloseTo(149, 6);
    expect(at(150)).toEqual({ x: 99, y: 198, moving: false });
  });

  it('does not move past a rest', () => {
    const resting = [...line, { x: 99, y: 198, t: 160 }];
    for (const late of [0, 20, 50, 90])
      expect(positionAt(resting, 160 + late, FAR)).toEqual({ x: 99, y: 198, moving: false });
  });

  it('snaps over a jump instead of gliding through what lies between', () => {
    const points: Point[] = [
      { x: 0, y: 0, t: 0 },
      { x: 5_000, y: 0, t: 33 },
    ];
    expect(positionAt(points, 20, FAR)?.x).toBe(0);
    expect(positionAt(points, 33, FAR)?.x).toBe(5_000);
  });

  it('snaps over a pause of more than 300 ms', () => {
    const points: Point[] = [
      { x: 0, y: 0, t: 0 },
      { x: 100, y: 0, t: 301 },
    ];
    expect(positionAt(points, 200, FAR)?.x).toBe(0);
  });
});

describe('CursorTrack', () => {
  // S6
  it('draws 30 updates a second as a steady motion at 60 frames a second', () => {
    const track = new CursorTrack();
    const senderStarted = 5_000_000; // another clock altogether
    const arrivals = Array.from({ length: 60 }, (_, i) => ({
      t: senderStarted + i * 33,
      now: i * 33 + 4 + ((i * 7) % 11), // late by 4 to 14 ms, unevenly
    }));
    const drawn: number[] = [];
    for (let now = 0; now < 1_900; now += 16) {
      while (arrivals[0] !== undefined && arrivals[0].now <= now) {
        const { t, now: at } = arrivals.shift() ?? { t: 0, now: 0 };
        track.receive({ x: (t - senderStarted) * 0.5, y: 0, t }, at); // 500 units a second
      }
      const at = track.at(now, FAR);
      if (at !== null && now > 500) drawn.push(at.x);
    }
    const steps = drawn.slice(1).map((x, i) => x - (drawn[i] ?? 0));
    // 8 units a frame. As they come, the steps would be 0 or 16 and more.
    expect(Math.min(...steps)).toBeGreaterThan(5);
    expect(Math.max(...steps)).toBeLessThan(11);
  });

  it('keeps its delay between 35 and 120 ms', () => {
    const quick = new CursorTrack();
    for (let i = 0; i < 100; i++) quick.receive({ x: i, y: 0, t: i * 8 }, i * 8);
    expect(quick.delay).toBeCloseTo(35, 0);
    const slow = new CursorTrack();
    for (let i = 0; i < 100; i++) slow.receive({ x: i, y: 0, t: i * 200 }, i * 200);
    expect(slow.delay).toBeCloseTo(120, 0);
  });

  it('uses the points on the way', () => {
    const track = new CursorTrack();
    track.receive({ x: 0, y: 0, t: 100 }, 1_000);
    track.receive({ x: 20, y: 0, t: 120, pts: [[10, 10, 110]] }, 1_020);
    const at = track.at(1_010 + track.delay, FAR);
    expect(at?.y).toBeCloseTo(10, 6);
  });

  it('ignores overtaken and repeated updates', () => {
    const track = new CursorTrack();
    track.receive({ x: 0, y: 0, t: 100 }, 1_000);
    track.receive({ x: 50, y: 0, t: 133 }, 1_033);
    track.receive({ x: 10, y: 0, t: 110 }, 1_040);
    expect(track.newest?.x).toBe(50);
  });

  it('begins anew when the sender has another clock', () => {
    const track = new CursorTrack();
    track.receive({ x: 0, y: 0, t: 900_000 }, 1_000);
    track.receive({ x: 50, y: 0, t: 20 }, 1_033);
    expect(track.newest).toEqual({ x: 50, y: 0, t: 1_033 });
  });

  it('takes updates without a time at their arrival', () => {
    const track = new CursorTrack();
    track.receive({ x: 7, y: 8 }, 1_000);
    expect(track.newest).toEqual({ x: 7, y: 8, t: 1_000 });
  });
});
