/** What stands on a key, in the language of the window and as this computer's keyboard has it. */
import { t } from '../i18n';

const APPLE: Readonly<Record<string, string>> = { $mod: '⌘', Ctrl: '⌘', Control: '⌃', Meta: '⌘', Alt: '⌥', Shift: '⇧' };

export function capOf(key: string): string {
  const apple = /Mac|iP(hone|ad|od)/.test(navigator.platform);
  return (apple ? APPLE[key] : undefined) ?? t.keys[key] ?? key;
}
