import type { WindowMenu } from 'parlor-client';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { speak } from '../i18n';
import type { Action } from './actions.svelte';
import { MenuBar, menuOf } from './menu-bar';

const action = (id: string, more: Partial<Action> = {}): Action => ({
  ...{ id, group: 'window', words: id, run: () => {} },
  ...more,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
afterAll(() => speak('en'));

describe('menuOf', () => {
  const offered = [
    action('people', { group: 'people', keys: ['M'], chosen: true }),
    action('palette', { keys: ['$mod+K'], always: true }),
  ];

  it('has the groups that have something, the app’s own first, and no keys that are typed', () => {
    expect(menuOf(offered).groups).toEqual([
      { title: 'Parlor', items: [{ id: 'palette', words: 'palette', keys: '$mod+K' }] },
      { title: 'People', items: [{ id: 'people', words: 'people', chosen: true }] },
    ]);
  });

  it('is in the language that is spoken', async () => {
    await speak('de');
    const { groups, words } = menuOf(offered);
    expect([groups[1]?.title, words.quit]).toEqual(['Menschen', 'Parlor beenden']);
    await speak('en');
  });
});

describe('MenuBar', () => {
  const menu = (id: string): WindowMenu => menuOf([action(id)]);

  it('is filled once for a burst, and not with what it shows', async () => {
    const set = vi.fn(async () => {});
    const bar = new MenuBar(set);
    for (const id of ['a', 'b', 'c']) bar.show(menu(id));
    await vi.runAllTimersAsync();
    expect(set.mock.calls).toEqual([[menu('c')]]);
    bar.show(menu('c'));
    await vi.runAllTimersAsync();
    expect(set).toHaveBeenCalledTimes(1);
    // There and back within a moment is nothing.
    bar.show(menu('d'));
    bar.show(menu('c'));
    await vi.runAllTimersAsync();
    expect(set).toHaveBeenCalledTimes(1);
  });

  it('is filled again with the same when that is not sure', async () => {
    const set = vi.fn(async () => {});
    const bar = new MenuBar(set);
    for (let i = 0; i < 2; i++) {
      bar.show(menu('a'));
      await vi.runAllTimersAsync();
      bar.forget();
    }
    expect(set).toHaveBeenCalledTimes(2);
  });

  it('tries again what was refused', async () => {
    const set = vi.fn(async () => Promise.reject(new Error('no')));
    const bar = new MenuBar(set);
    for (let i = 0; i < 2; i++) {
      bar.show(menu('a'));
      await vi.runAllTimersAsync();
    }
    expect(set).toHaveBeenCalledTimes(2);
  });
});
