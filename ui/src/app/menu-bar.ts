/**
 * The menu bar of the desktop's window: what the palette offers, by its groups. Filled anew when that changes, a moment
 * later, so that a burst of changes is one.
 */
import type { WindowMenu } from 'parlor-client';
import { t } from '../i18n';
import { GROUPS, type Action } from './actions.svelte';

const SETTLES_MS = 200;

/** What concerns the app comes first, as everywhere. */
const ORDER = ['window', ...GROUPS.filter((group) => group !== 'window')] as const;

export function menuOf(actions: readonly Action[]): WindowMenu {
  const groups = ORDER.map((group) => ({
    title: t.actions.groups[group],
    items: actions
      .filter((action) => action.group === group)
      .map(({ id, words, keys, always, chosen }) => ({
        id,
        words,
        // What a key does only while nobody writes is the page's to know.
        ...(always === true && keys?.[0] !== undefined ? { keys: keys[0] } : {}),
        ...(chosen === true ? { chosen } : {}),
      })),
  })).filter(({ items }) => items.length > 0);
  return { groups, words: t.menu };
}

/** Fills a bar; one that shows the same is left alone. */
export class MenuBar {
  #shown = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly set: (menu: WindowMenu) => Promise<void>) {}

  show(menu: WindowMenu): void {
    clearTimeout(this.#timer);
    const next = JSON.stringify(menu);
    if (next === this.#shown) return;
    this.#timer = setTimeout(() => {
      this.#shown = next;
      // A bar that cannot be filled is no loss: everything is in the palette.
      void this.set(menu).catch(() => (this.#shown = ''));
    }, SETTLES_MS);
  }

  /** What it shows is not sure: it is filled with the next menu, whatever that is. */
  forget(): void {
    this.#shown = '';
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
