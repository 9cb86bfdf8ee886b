import { describe, expect, it } from 'vitest';
import { Settings } from './settings.svelte';

const store = (kept: Record<string, string> = {}) => ({
  kept,
  getItem: (key: string) => kept[key] ?? null,
  setItem: (key: string, value: string) => void (kept[key] = value),
});

const opened = (at: ReturnType<typeof store> | null, userId = 'u_a') => {
  const settings = new Settings(at);
  settings.of(userId);
  return settings;
};

describe('Settings', () => {
  it('are kept for their person, and for nobody else', () => {
    const at = store();
    opened(at).set({ noFollow: true, language: 'de', last: 'standup', device: 'Laptop' });
    const again = opened(at);
    expect(again.device).toBe('Laptop');
    expect([again.privacy.noFollow, again.privacy.noCursor, again.language, again.last]).toEqual([
      true,
      false,
      'de',
      'standup',
    ]);
    expect(opened(at, 'u_b').privacy.noFollow).toBe(false);
  });

  it('go along with who becomes somebody new', () => {
    const at = store();
    const settings = opened(at);
    settings.set({ noCursor: true });
    settings.of('u_new');
    expect(opened(at, 'u_new').privacy.noCursor).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['no JSON', { 'parlor.settings.u_a': '{' }],
    ['another shape', { 'parlor.settings.u_a': '{"noFollow":"yes","language":"klingon","last":7,"device":[],"openLast":null}' }],
    ['no object', { 'parlor.settings.u_a': 'null' }],
  ])('are as new when the browser kept %s', (_, kept) => {
    const settings = opened(store(kept));
    expect([settings.privacy.noFollow, settings.language, settings.last, settings.openLast]).toEqual([
      false,
      null,
      null,
      true,
    ]);
  });

  it('hold as long as the page where nothing is kept', () => {
    const forbids = {
      getItem: () => null,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    const settings = new Settings(forbids);
    settings.of('u_a');
    settings.set({ othersHidden: true });
    expect(settings.othersHidden).toBe(true);
    const none = new Settings(null);
    none.of('u_a');
    none.set({ openLast: false });
    expect(none.openLast).toBe(false);
  });
});
