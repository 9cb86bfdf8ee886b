// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { watchAttention } from './attention';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function hidden(is: boolean) {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(is);
  document.dispatchEvent(new Event('visibilitychange'));
}

const log = () => ({ look: vi.fn(), peek: vi.fn(async () => {}), marksChanged: vi.fn(), save: vi.fn() });

describe('a window that nobody sees', () => {
  it('reads the newest messages now and then, and not once it is seen', () => {
    vi.useFakeTimers();
    const messages = log();
    const end = watchAttention(messages);
    hidden(true);
    vi.advanceTimersByTime(15_000);
    expect(messages.peek).toHaveBeenCalledTimes(3);
    hidden(false);
    vi.advanceTimersByTime(60_000);
    expect(messages.peek).toHaveBeenCalledTimes(3);
    end();
  });

  // D1
  it('reads them also when its timers stand still, as soon as it is told that something waits', () => {
    const messages = log();
    let stir = () => {};
    const unheard = vi.fn();
    const end = watchAttention(messages, (look) => ((stir = look), unheard));
    stir();
    expect(messages.peek).not.toHaveBeenCalled();
    hidden(true);
    stir();
    expect(messages.peek).toHaveBeenCalledTimes(1);
    end();
    expect(unheard).toHaveBeenCalledTimes(1);
  });
});
