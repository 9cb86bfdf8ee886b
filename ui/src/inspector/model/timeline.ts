/** Where on a line of time the steps of a recording are, drawn as bars of a few pixels: a lane for each sort of them. */
import type { ReplayKind, ReplayStep } from 'parlor-client';

export const LANES = ['frames', 'calls', 'links', 'time'] as const;
export type Lane = (typeof LANES)[number];

const LANE_OF: Readonly<Record<ReplayKind, Lane>> = {
  frame: 'frames',
  call: 'calls',
  kept: 'calls',
  linkUp: 'links',
  linkDown: 'links',
  roundTrip: 'links',
  outage: 'links',
  resumed: 'time',
  wall: 'time',
  timeout: 'time',
  other: 'time',
};

/** The width of a bar and its gap, and the height of a lane. */
export const BAR = 3;
export const HIGH = 14;

/** An SVG path for each lane: the more steps fall on a bar, the higher it is. */
export function lanesOf(steps: readonly ReplayStep[], lengthMs: number, width: number): Record<Lane, string> {
  const bars = Math.max(1, Math.floor(width / BAR));
  const counts = Object.fromEntries(LANES.map((lane) => [lane, new Uint32Array(bars)])) as Record<Lane, Uint32Array>;
  for (const { kind, ms } of steps) {
    const lane = counts[LANE_OF[kind]];
    const at = Math.min(bars - 1, Math.floor((ms / Math.max(1, lengthMs)) * bars));
    lane[at] = (lane[at] ?? 0) + 1;
  }
  const most = Math.max(1, ...LANES.map((lane) => counts[lane].reduce((a, b) => Math.max(a, b), 0)));
  const high = (count: number) => Math.round((0.35 + (0.65 * Math.log(count)) / Math.max(1, Math.log(most))) * (HIGH - 2));
  const path = (lane: Uint32Array) => {
    let text = '';
    lane.forEach((count, at) => {
      if (count > 0) text += `M${at * BAR} ${HIGH - 1}v${-high(count)}h${BAR - 1}v${high(count)}z`;
    });
    return text;
  };
  return Object.fromEntries(LANES.map((lane) => [lane, path(counts[lane])])) as Record<Lane, string>;
}
