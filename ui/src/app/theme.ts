/** Light, dark, or what the system says. The choice is the profile's; the page only carries it out. */
import type { Theme } from 'parlor-client';

export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** Calls back when the colours are others, by choice or by the system: for what is painted and not styled. */
export function onThemeChange(changed: () => void): () => void {
  const asked = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
  const chosen = new MutationObserver(changed);
  for (const query of asked) query.addEventListener('change', changed);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    for (const query of asked) query.removeEventListener('change', changed);
    chosen.disconnect();
  };
}
