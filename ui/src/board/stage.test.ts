// @vitest-environment happy-dom
import type { Member } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BoardView } from './board-view.svelte';
import { Stage } from './stage';

const KEY = 'u_a\u0000u_a';
const member = (presence: Record<string, unknown>, state: 'active' | 'stale' = 'active'): Member => ({
  room: 'r',
  kind: 'room',
  memberId: 'u_a',
  joinedAt: '2026-11-25T10:00:00.000Z',
  lastSeenAt: '2026-11-25T10:00:00.000Z',
  metadata: {},
  presence: { color: '#286fe3', ...presence },
  actor: { kind: 'user', userId: 'u_a', name: 'A' },
  state,
  self: false,
  verified: true,
  conflict: false,
});

let frames = 0;
let stage: Stage;
let view: BoardView;
let cursor: HTMLElement;
let chip: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance', 'requestAnimationFrame', 'cancelAnimationFrame'],
  });
  frames = 0;
  const real = globalThis.requestAnimationFrame;
  vi.stubGlobal('requestAnimationFrame', (run: FrameRequestCallback) => real((now) => ((frames += 1), run(now))));
  view = new BoardView();
  view.camera = { x: 0, y: 0, zoom: 1 };
  view.size = { w: 800, h: 600 };
  stage = new Stage(view);
  cursor = document.createElement('div');
  chip = document.createElement('button');
  stage.attach(KEY, 'cursor')(cursor);
  stage.attach(KEY, 'chip')(chip);
});

afterEach(() => {
  stage.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const moves = async (x: number, y: number) => {
  stage.hear(KEY, member({ cursor: { x, y, t: performance.now() } }), ['cursor']);
  await vi.advanceTimersByTimeAsync(33);
};

describe('Stage', () => {
  it('draws a cursor where it was pointed and stops drawing when nothing moves', async () => {
    for (let i = 0; i < 20; i++) await moves(100 + i * 5, 50);
    await moves(195, 50);
    await vi.advanceTimersByTimeAsync(500);
    expect(cursor.hidden).toBe(false);
    expect(cursor.style.transform).toBe('translate3d(195.0px, 50.0px, 0)');
    const before = frames;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(frames - before).toBe(0);
  });

  it('takes the label, then half the colour, then the cursor away, without an update', async () => {
    await moves(10, 10);
    await vi.advanceTimersByTimeAsync(100);
    expect(cursor.dataset['look']).toBe('labelled');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(cursor.dataset['look']).toBe('bare');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(cursor.dataset['look']).toBe('idle');
    await vi.advanceTimersByTimeAsync(50_000);
    expect(cursor.hidden).toBe(true);
    expect(frames).toBeLessThan(40);
  });

  it('shows a chip instead of a cursor outside the view, and follows the camera', async () => {
    await moves(5_000, 300);
    await vi.advanceTimersByTimeAsync(200);
    expect([cursor.hidden, chip.hidden]).toEqual([true, false]);
    view.onChange(() => stage.cameraMoved());
    view.goTo({ x: 5_000, y: 300 });
    await vi.advanceTimersByTimeAsync(50);
    expect([cursor.hidden, chip.hidden]).toEqual([false, true]);
  });

  it.each([
    ['a pointer that left', member({ cursor: null }), ['cursor']],
    ['somebody away', member({ cursor: { x: 1, y: 1 }, status: 'away' }), ['status']],
    ['somebody who is not heard', member({ cursor: { x: 1, y: 1 } }, 'stale'), []],
    ['somebody who left', null, []],
  ])('takes the cursor of %s away', async (_, next, keys) => {
    await moves(10, 10);
    await vi.advanceTimersByTimeAsync(100);
    expect(cursor.hidden).toBe(false);
    stage.hear(KEY, next, keys);
    await vi.advanceTimersByTimeAsync(50);
    expect(cursor.hidden).toBe(true);
  });

  // G2
  it('leaves nothing drawn of somebody who is gone', async () => {
    const selection = document.createElement('div');
    stage.attach(KEY, 'selection')(selection);
    const presence = {
      cursor: { x: 5_000, y: 300, t: performance.now() },
      selection: { x: 1, y: 1, w: 9, h: 9 },
      viewport: { x: 0, y: 0, w: 100, h: 50, zoom: 1 },
    };
    stage.hear(KEY, member(presence), Object.keys(presence));
    await vi.advanceTimersByTimeAsync(100);
    expect([chip.hidden, selection.hidden]).toEqual([false, false]);
    stage.hear(KEY, null, []);
    await vi.advanceTimersByTimeAsync(50);
    expect([cursor.hidden, chip.hidden, selection.hidden]).toEqual([true, true, true]);
    expect(stage.whereIs(KEY)).toBeNull();
  });

  it('finds people by where they point, or else by where they look', async () => {
    expect(stage.whereIs(KEY)).toBeNull();
    stage.hear(KEY, member({ viewport: { x: 0, y: 0, w: 100, h: 50, zoom: 1 } }), ['viewport']);
    expect(stage.whereIs(KEY)).toEqual({ x: 50, y: 25 });
    await moves(10, 20);
    expect(stage.whereIs(KEY)).toEqual({ x: 10, y: 20 });
  });
});
