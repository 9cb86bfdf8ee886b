import { expect, it } from 'vitest';
import { quantile } from './quantile';
import { Ring } from './ring';

it('a ring keeps the newest, each at its place', () => {
  const ring = new Ring<number>(4);
  expect([ring.start, ring.end, ring.length, ring.at(0)]).toEqual([0, 0, 0, undefined]);
  for (let n = 0; n < 10; n++) ring.push(n);
  expect([ring.start, ring.end, ring.length]).toEqual([6, 10, 4]);
  expect([5, 6, 9, 10].map((place) => ring.at(place))).toEqual([undefined, 6, 9, undefined]);
  expect([...ring]).toEqual([6, 7, 8, 9]);
  ring.clear();
  expect([ring.start, ring.end, [...ring]]).toEqual([0, 0, []]);
});

it('a quantile is one of the numbers', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred, 1)]).toEqual([50, 99, 100]);
  expect([quantile([7], 0.5), quantile([7], 0.99), quantile([], 0.5)]).toEqual([7, 7, null]);
  expect(quantile([3, 1, 2], 0.99)).toBe(3);
});
