// @vitest-environment happy-dom
import type { RecordingFile, Replayed, Replays, ReplayQuery, ReplayState, ReplayStep } from 'parlor-client';
import { describe, expect, it, vi } from 'vitest';
import { Opened, stepAt } from './opened.svelte';
import { Recordings } from './recordings.svelte';
import { lanesOf } from './timeline';

const TOTAL = 25_000;
const step = (number: number): ReplayStep =>
  ({ step: number, ms: number * 2, kind: number % 5 === 0 ? 'call' : 'frame', text: `step ${number}`, events: [] });
const state = (at: number) => ({ step: at, ms: at * 2, hash: String(at), members: [], changes: [] }) as unknown as ReplayState;

/** A peer that plays a recording of many steps. */
function peer() {
  const replay = vi.fn(async (_: RecordingFile, { from = 1, limit = 1_000, at = TOTAL }: ReplayQuery = {}) => {
    const steps = Array.from({ length: Math.min(limit, TOTAL - from + 1) }, (_, n) => step(from + n));
    const nextFrom = from + limit <= TOTAL ? from + limit : null;
    return { total: TOTAL, lengthMs: TOTAL * 2, steps, nextFrom, state: state(at), broken: null, disagreement: null } as unknown as Replayed;
  });
  const replayState = vi.fn(async (_: RecordingFile, { at = 0 } = {}) => state(at));
  return { replay, replayState, replayLineup: vi.fn() } as unknown as Replays & { replay: typeof replay; replayState: typeof replayState };
}

const file = new Uint8Array(3);

describe('a recording that is open', () => {
  it('lists all of its steps, page by page, and stands at its end', async () => {
    const replays = peer();
    const opened = await Opened.of('a', file, replays, () => expect.unreachable());
    expect([opened.step, opened.state?.hash]).toEqual([TOTAL, String(TOTAL)]);
    await vi.waitFor(() => expect(opened.steps).toHaveLength(TOTAL));
    expect(opened.steps.every(({ step }, at) => step === at + 1)).toBe(true);
    expect(replays.replay.mock.calls.map(([, query]) => query?.from)).toEqual([undefined, 10_001, 20_001]);
  });

  it('asks for the moment that is looked at, and for none that was passed meanwhile or is known', async () => {
    const replays = peer();
    const opened = await Opened.of('a', file, replays, () => expect.unreachable());
    for (let at = 100; at < 200; at++) opened.go(at);
    await vi.waitFor(() => expect(opened.state?.hash).toBe('199'));
    expect(replays.replayState.mock.calls.map(([, moment]) => moment?.at)).toEqual([100, 199]);
    opened.go(100);
    opened.goTo(399);
    expect([opened.step, opened.ms]).toEqual([199, 398]);
    opened.go(-5);
    expect(opened.step).toBe(1);
    opened.go(1e9);
    expect(opened.step).toBe(TOTAL);
  });

  it('says what a peer says against it, and stays as it was', async () => {
    const replays = peer();
    const recordings = new Recordings(replays);
    await recordings.take('good', async () => file);
    replays.replay.mockRejectedValueOnce({ code: 'INVALID_RECORDING', message: 'it was cut short', recoverable: false });
    await recordings.take('bad', async () => file);
    expect([recordings.first?.name, recordings.busy]).toEqual(['good', false]);
    expect(recordings.wrong).not.toBe('');
  });
});

it('a moment is the last step that is not later', () => {
  const steps = [0, 0, 5, 5, 9].map((ms) => ({ ms }));
  expect([-1, 0, 4, 5, 8, 9, 99].map((ms) => stepAt(steps, ms))).toEqual([1, 2, 2, 4, 4, 5, 5]);
  expect(stepAt([], 3)).toBe(1);
});

it('steps stand in lanes, where they were in time', () => {
  const lanes = lanesOf([step(1), step(5), step(10), { ...step(10), kind: 'wall' }], 20, 30);
  // Ten bars of three pixels; the last moment falls into the last of them.
  expect(lanes.frames).toMatch(/^M3 /);
  expect(lanes.calls.match(/M(\d+) /g)).toEqual(['M15 ', 'M27 ']);
  expect(lanes.time).toMatch(/^M27 /);
  expect(lanes.links).toBe('');
});
