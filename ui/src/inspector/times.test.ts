import { expect, test } from 'vitest';
import { quartersOf } from './times';

test('the quarters of a recording can be told apart, however short it is', () => {
  expect(quartersOf(60_000)).toEqual(['0:00', '0:15', '0:30', '0:45', '1:00']);
  expect(quartersOf(10_000)).toEqual(['0:00', '0:03', '0:05', '0:08', '0:10']);
  expect(quartersOf(2_000)).toEqual(['0:00.0', '0:00.5', '0:01.0', '0:01.5', '0:02.0']);
  expect(quartersOf(100)).toEqual(['0:00.00', '0:00.03', '0:00.05', '0:00.08', '0:00.10']);
  expect(quartersOf(8)).toEqual(['0:00.000', '0:00.002', '0:00.004', '0:00.006', '0:00.008']);
});
