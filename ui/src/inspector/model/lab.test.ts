import type { LabState } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { anyFault, faultsOf, NO_FAULTS, sameFaults, WEATHER, weatherOf } from './lab';

const calm: LabState = {
  ...{ seed: 1, all: NO_FAULTS, peers: [], wallAheadMs: 0, ticksAheadMs: 0, asleepMs: 0, waiting: 0, people: [] },
  counts: { passed: 0, lost: 0, delayed: 0, duplicated: 0, overflowed: 0 },
};

describe('the lab', () => {
  it('knows weather by what it is', () => {
    for (const name of Object.keys(WEATHER) as (keyof typeof WEATHER)[])
      expect(weatherOf(structuredClone(WEATHER[name]))).toBe(name);
    expect(weatherOf({ ...WEATHER.far, apart: true })).toBeNull();
    expect(weatherOf({ ...WEATHER.far, in: { ...WEATHER.far.in, delayMs: 81 } })).toBeNull();
    expect(sameFaults(WEATHER.bad, WEATHER.far)).toBe(false);
  });

  it('takes the entry of a peer before that of all', () => {
    const state = { ...calm, all: WEATHER.far, peers: [{ peerId: 'a', faults: NO_FAULTS }] };
    expect([faultsOf(state, 'a'), faultsOf(state, 'b')]).toEqual([NO_FAULTS, WEATHER.far]);
  });

  it('knows whether anything is on', () => {
    expect(anyFault(calm)).toBe(false);
    const on: Partial<LabState>[] = [
      ...[{ all: WEATHER.far }, { peers: [{ peerId: 'a', faults: NO_FAULTS }] }, { asleepMs: 1 }, { wallAheadMs: -5 }],
      { people: [{ room: 'quay', count: 3, seed: 1, here: 2 }] },
    ];
    for (const more of on) expect(anyFault({ ...calm, ...more })).toBe(true);
  });
});
