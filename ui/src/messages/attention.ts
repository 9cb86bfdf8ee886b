/**
 * Whether somebody looks at this window. A hidden page is handed no frames, hence nothing of the feed: while it is hidden
 * the newest messages are read now and then, so that the count in its title and its notifications are right.
 */
import type { Backend } from 'parlor-client';
import type { RoomMessages } from './room-messages.svelte';

const HIDDEN_LOOK_MS = 5_000;

export function watchAttention(
  messages: Pick<RoomMessages, 'look' | 'peek' | 'marksChanged' | 'save'>,
  onStirred?: Backend['onStirred'],
): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const judge = () => {
    messages.look(!document.hidden && document.hasFocus());
    clearInterval(timer);
    timer = document.hidden ? setInterval(() => void messages.peek(), HIDDEN_LOOK_MS) : undefined;
  };
  const stored = () => messages.marksChanged();
  const gone = () => messages.save();
  document.addEventListener('visibilitychange', judge);
  window.addEventListener('focus', judge);
  window.addEventListener('blur', judge);
  window.addEventListener('storage', stored);
  window.addEventListener('pagehide', gone);
  // The timers of a page that is hidden for long are stopped.
  const unheard = onStirred?.(() => document.hidden && void messages.peek());
  judge();
  return () => {
    clearInterval(timer);
    unheard?.();
    document.removeEventListener('visibilitychange', judge);
    window.removeEventListener('focus', judge);
    window.removeEventListener('blur', judge);
    window.removeEventListener('storage', stored);
    window.removeEventListener('pagehide', gone);
  };
}
