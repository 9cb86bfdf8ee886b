import type { PresenceChange } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from './outbox';
import { PointerSampler } from './pointer-sampler';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** `pace`: of a room of few, as the peer says it. */
function outbox(pace = 34, send = async (_: PresenceChange) => {}) {
  const sent: { at: number; change: PresenceChange }[] = [];
  const box = new Outbox({
    pace: () => pace,
    now: () => Date.now(),
    send: (change) => {
      sent.push({ at: Date.now(), change });
      return send(change);
    },
  });
  return { box, sent };
}

describe('Outbox', () => {
  // S7
  it('makes at most 30 sends a second of 300 pointer events a second, and the last value always goes', async () => {
    const { box, sent } = outbox();
    for (let i = 0; i < 600; i++) {
      box.set({ cursor: { x: i, y: 0 } });
      await vi.advanceTimersByTimeAsync(1_000 / 300);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect(sent.length).toBeGreaterThan(50);
    expect(sent.length).toBeLessThanOrEqual(61);
    expect(sent.at(-1)?.change.presence).toEqual({ cursor: { x: 599, y: 0 } });
  });

  it('sends the first change at once and the next when its turn comes', async () => {
    const { box, sent } = outbox(1_000);
    const start = Date.now();
    box.set({ cursor: 1 });
    box.set({ cursor: 2 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent.map(({ at, change }) => [at - start, change.presence['cursor']])).toEqual([
      [0, 1],
      [1_000, 2],
    ]);
  });

  // S7
  it('follows the pace that the peer says, from one send to the next', async () => {
    let pace = 500;
    const at: number[] = [];
    const start = Date.now();
    const box = new Outbox({ pace: () => pace, now: () => Date.now(), send: async () => void at.push(Date.now() - start) });
    for (let i = 0; i < 3; i++) {
      box.set({ cursor: i });
      await vi.advanceTimersByTimeAsync(500);
    }
    pace = 100;
    for (let i = 0; i < 5; i++) {
      box.set({ cursor: i });
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(at).toEqual([0, 500, 1_000, 1_500, 1_600, 1_700]);
  });

  // G14
  it('keeps the expiry of a value that waits for its turn, and drops it with the value', async () => {
    const { box, sent } = outbox(1_000);
    box.set({ cursor: 1 });
    box.set({ typing: true }, { typing: 6_000 });
    box.set({ cursor: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent[1]?.change).toEqual({ presence: { cursor: 2, typing: true }, expire: { typing: 6_000 } });
    box.set({ typing: true }, { typing: 6_000 });
    box.set({ typing: false });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent[2]?.change).toEqual({ presence: { typing: false } });
  });

  it('merges keys, and a key that was removed and set again is set', async () => {
    const { box, sent } = outbox(1_000);
    box.set({ a: 1 });
    box.set({ b: 2, c: 3, typing: true }, { typing: 6_000 });
    box.set({ c: undefined, typing: false });
    box.set({ d: undefined });
    box.set({ d: 4 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent[1]?.change).toEqual({ presence: { b: 2, d: 4, typing: false }, unset: ['c'] });
  });

  it('lets urgent keys out now, with all that waits', async () => {
    const { box, sent } = outbox(1_000);
    box.set({ cursor: 1 });
    await vi.advanceTimersByTimeAsync(1);
    box.set({ cursor: 2 });
    box.setNow({ status: 'away' });
    await vi.advanceTimersByTimeAsync(1);
    expect(sent[1]?.change.presence).toEqual({ cursor: 2, status: 'away' });
  });

  it('has one call on its way at a time', async () => {
    let answer = () => {};
    const { box, sent } = outbox(3, () => new Promise<void>((resolve) => (answer = resolve)));
    box.set({ cursor: 1 });
    for (let i = 2; i < 50; i++) {
      box.set({ cursor: i });
      await vi.advanceTimersByTimeAsync(33);
    }
    expect(sent.length).toBe(1);
    answer();
    await vi.advanceTimersByTimeAsync(50);
    expect(sent[1]?.change.presence).toEqual({ cursor: 49 });
  });

  it('goes on after a failure', async () => {
    let fails = true;
    const { box, sent } = outbox(3, async () => {
      if (fails) throw new Error('down');
    });
    box.set({ cursor: 1 });
    await vi.advanceTimersByTimeAsync(50);
    fails = false;
    box.set({ cursor: 2 });
    await vi.advanceTimersByTimeAsync(50);
    expect(sent.length).toBe(2);
  });

  it('sends nothing once closed', async () => {
    const { box, sent } = outbox(1_000);
    box.set({ cursor: 1 });
    box.set({ cursor: 2 });
    box.close();
    box.setNow({ status: 'away' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent.length).toBe(1);
  });
});

describe('PointerSampler', () => {
  it('says the exact spot when the pointer rests', async () => {
    const taken: unknown[] = [];
    const sampler = new PointerSampler(() => {
      taken.push(sampler.take());
      sampler.sent();
    });
    sampler.move({ x: 10.04, y: 20 }, 1_000);
    sampler.move({ x: 11, y: 21 }, 1_008);
    await vi.advanceTimersByTimeAsync(200);
    expect(taken).toEqual([
      { x: 10, y: 20, t: 1_000 },
      { x: 11, y: 21, t: 1_008 },
      { x: 11, y: 21, t: 1_068 },
    ]);
  });

  it('adds at most four points on the way, and none on a straight one', () => {
    const sampler = new PointerSampler(() => {});
    for (let i = 0; i <= 10; i++) sampler.move({ x: i * 10, y: 0 }, i * 3);
    expect(sampler.take()).toEqual({ x: 100, y: 0, t: 30 });
    sampler.sent();
    for (let i = 0; i <= 20; i++) sampler.move({ x: Math.cos(i / 5) * 100, y: Math.sin(i / 5) * 100 }, 100 + i * 3);
    const curved = sampler.take();
    expect(curved?.pts?.length).toBe(4);
    expect(curved?.pts?.every(([, , t], i, all) => t < curved.t && t > (all[i - 1]?.[2] ?? 0))).toBe(true);
  });

  it('has nothing to say after the pointer left', async () => {
    let changes = 0;
    const sampler = new PointerSampler(() => (changes += 1));
    sampler.move({ x: 1, y: 1 }, 1);
    sampler.leave();
    await vi.advanceTimersByTimeAsync(500);
    expect(sampler.take()).toBeNull();
    expect(changes).toBe(1);
  });
});
