/** Light, dark, or what the system says. The choice is the profile's; the page only carries it out. */
import type { Theme } from 'parlor-client';

export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
