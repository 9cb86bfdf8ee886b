import { describe, expect, it } from 'vitest';
import { pathOf, QUIET, sideOf } from './qr';

describe('a code', () => {
  it('has every dark square once, behind a light margin', () => {
    const rows = ['1101', '0000', '0111', '1010'];
    const runs = [...pathOf(rows).matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)].map((run) => run.slice(1).map(Number));
    const dark = runs.flatMap(([x = 0, y = 0, width = 0, back]) => {
      expect(back).toBe(width);
      return Array.from({ length: width }, (_, at) => `${x + at - QUIET},${y - QUIET}`);
    });
    expect(dark).toEqual(['0,0', '1,0', '3,0', '1,2', '2,2', '3,2', '0,3', '2,3']);
  });

  it('is as large as fits, in whole pixels a square', () => {
    const rows = (count: number) => Array.from({ length: count }, () => '0'.repeat(count));
    expect(sideOf(rows(57), 264)).toBe(260);
    expect(sideOf(rows(41), 264)).toBe(245);
    expect(sideOf(rows(177), 264)).toBe(370);
  });
});
