/** What the network lab can do to the links of this peer, as forms and buttons need it. */
import type { LabFaults, LabState, LabWay } from 'parlor-client';

export const NO_WAY: LabWay = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0, duplicatePercent: 0 };
export const NO_FAULTS: LabFaults = { in: NO_WAY, out: NO_WAY, apart: false };

const both = (way: Partial<LabWay>): LabFaults => ({
  in: { ...NO_WAY, ...way },
  out: { ...NO_WAY, ...way },
  apart: false,
});

/** Weather that networks have. */
export const WEATHER = {
  fine: NO_FAULTS,
  far: both({ delayMs: 80, jitterMs: 30, lossPercent: 1 }),
  bad: both({ delayMs: 250, jitterMs: 200, lossPercent: 15, duplicatePercent: 2 }),
  unplugged: both({ cut: true }),
} as const satisfies Record<string, LabFaults>;

/** What a field of a way may be. */
export const MOST = { delayMs: 10_000, jitterMs: 10_000, lossPercent: 100, duplicatePercent: 100 } as const;

const sameWay = (one: LabWay, other: LabWay): boolean =>
  one.cut === other.cut && (Object.keys(MOST) as (keyof typeof MOST)[]).every((field) => one[field] === other[field]);

export const sameFaults = (one: LabFaults, other: LabFaults): boolean =>
  one.apart === other.apart && sameWay(one.in, other.in) && sameWay(one.out, other.out);

/** The weather that these faults are, if they are one. */
export function weatherOf(faults: LabFaults): keyof typeof WEATHER | null {
  const names = Object.keys(WEATHER) as (keyof typeof WEATHER)[];
  return names.find((name) => sameFaults(WEATHER[name], faults)) ?? null;
}

/** What holds for a peer: its own entry, else that of all. */
export const faultsOf = ({ all, peers }: LabState, peerId: string): LabFaults =>
  peers.find((entry) => entry.peerId === peerId)?.faults ?? all;

/** Whether anything is on. */
export const anyFault = ({ all, peers, asleepMs, wallAheadMs, people }: LabState): boolean =>
  !sameFaults(all, NO_FAULTS) || peers.length > 0 || asleepMs > 0 || wallAheadMs !== 0 || people.some(({ count }) => count > 0);
