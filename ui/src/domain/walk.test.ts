import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { walk } from './walk';

it('walks as the simulated people of a network lab do', () => {
  const file = new URL('../../../crates/live/src/people/walk.json', import.meta.url);
  const { from, to, bow, stepMs, spots } = JSON.parse(readFileSync(file, 'utf8'));
  expect(walk(from, to, bow, stepMs)).toEqual(spots);
});

it('arrives, and takes at least four steps', () => {
  expect(walk({ x: 0, y: 0 }, { x: 3, y: 4 }, 0.1, 33).at(-1)).toEqual({ x: 3, y: 4 });
  expect(walk({ x: 5, y: 5 }, { x: 5, y: 5 }, 0.1, 1_000)).toHaveLength(4);
});
