/**
 * How a made-up person moves a hand: it sets off and arrives gently, and never quite straight. Simulated people of a network
 * lab walk the same way (`crates/live/src/people/person.rs`): `walk.json` beside that file holds one of its ways.
 */
import type { Spot } from './camera';

const tenth = (value: number) => Math.round(value * 10) / 10;

/** The spots of a way, one for each step of so many milliseconds. `bow` is how far it swings aside, of its length. */
export function walk(from: Spot, to: Spot, bow: number, stepMs: number): Spot[] {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const far = Math.hypot(dx, dy);
  const steps = Math.max(4, Math.round(Math.min(1_700, 320 + far * 1.3) / stepMs));
  return Array.from({ length: steps }, (_, at) => {
    const u = (at + 1) / steps;
    const eased = u * u * (3 - 2 * u);
    const side = Math.sin(Math.PI * u) * bow;
    return { x: tenth(from.x + dx * eased - dy * side), y: tenth(from.y + dy * eased + dx * side) };
  });
}
