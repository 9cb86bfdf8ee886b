/** What this person wants to be notified of, on this computer. Nothing, until they say so. */
export type NotifyOf = 'nothing' | 'mentions' | 'all';

export const NOTIFY_CHOICES: readonly NotifyOf[] = ['nothing', 'mentions', 'all'];

const KEY = 'parlor-notify';

export function notifyOf(): NotifyOf {
  try {
    const kept = localStorage.getItem(KEY);
    return NOTIFY_CHOICES.find((choice) => choice === kept) ?? 'nothing';
  } catch {
    return 'nothing'; // a browser that keeps nothing
  }
}

export function setNotifyOf(choice: NotifyOf): void {
  try {
    if (choice === 'nothing') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Then it is asked again next time.
  }
}
