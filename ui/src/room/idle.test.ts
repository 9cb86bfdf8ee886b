import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchIdle } from './idle';

/** A window and a document that only hear. */
let page: EventTarget & { hidden: boolean };
let window: EventTarget;
let told: boolean[];
let end: () => void;

const begin = () => (end = watchIdle((away) => told.push(away)));
const hide = (hidden: boolean) => {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
};

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { hidden: false });
  window = new EventTarget();
  told = [];
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', window);
});
afterEach(() => {
  end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('watchIdle', () => {
  it('is away while the system says so, whatever else is seen, and back when it says that', () => {
    let say: (gone: boolean) => void = () => {};
    let heard = true;
    end = watchIdle(
      (away) => told.push(away),
      (gone) => {
        say = gone;
        return () => (heard = false);
      },
    );
    say(true);
    window.dispatchEvent(new Event('pointermove'));
    expect(told).toEqual([true]);
    say(false);
    expect(told).toEqual([true, false]);
    // Hidden at the moment of unlocking: still away.
    say(true);
    hide(true);
    say(false);
    expect(told).toEqual([true, false, true]);
    hide(false);
    expect(told).toEqual([true, false, true, false]);
    vi.advanceTimersByTime(61_000);
    expect(told.at(-1)).toBe(true);
    end();
    expect(heard).toBe(false);
  });

  it('is away after a minute without a sign, and back with the next', () => {
    begin();
    vi.advanceTimersByTime(59_000);
    window.dispatchEvent(new Event('pointermove'));
    vi.advanceTimersByTime(59_000);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1_001);
    expect(told).toEqual([true]);
    window.dispatchEvent(new Event('keydown'));
    expect(told).toEqual([true, false]);
    vi.advanceTimersByTime(60_001);
    expect(told).toEqual([true, false, true]);
  });

  // D6
  it('is away while the window is hidden, at once, and no longer', () => {
    begin();
    hide(true);
    expect(told).toEqual([true]);
    window.dispatchEvent(new Event('pointermove'));
    vi.advanceTimersByTime(600_000);
    expect(told).toEqual([true]);
    hide(false);
    expect(told).toEqual([true, false]);
  });

  it('says so when it begins hidden, and nothing after its end', () => {
    page.hidden = true;
    begin();
    expect(told).toEqual([true]);
    end();
    hide(false);
    vi.advanceTimersByTime(600_000);
    expect(told).toEqual([true]);
  });
});
