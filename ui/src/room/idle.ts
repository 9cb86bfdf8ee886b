/**
 * Tells when the person is away: a minute without a sign, a hidden window, or a system that says so because the screen is
 * locked. It says something about the status and nothing about membership, which lives in the peer and not in a page's
 * timers.
 */
const AWAY_AFTER_MS = 60_000;
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const;

/** `system` calls back when the person goes away from the computer, and when they are back. */
export function watchIdle(
  changed: (away: boolean) => void,
  system?: (gone: (gone: boolean) => void) => () => void,
): () => void {
  let away = document.hidden;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let signAt = performance.now();
  let gone = false;

  const set = (next: boolean) => {
    if ((next || gone) !== away) changed((away = next || gone));
  };
  // One timer that looks again when it is due, rather than one for each pointer move.
  const look = () => {
    const rest = signAt + AWAY_AFTER_MS - performance.now();
    if (rest <= 0) set(true);
    else timer = setTimeout(look, rest);
  };
  const sign = () => {
    signAt = performance.now();
    if (!away || document.hidden) return;
    set(false);
    timer = setTimeout(look, AWAY_AFTER_MS);
  };
  const seen = () => {
    clearTimeout(timer);
    if (document.hidden) return set(true);
    signAt = performance.now();
    set(false);
    timer = setTimeout(look, AWAY_AFTER_MS);
  };

  const deaf = system?.((now) => {
    gone = now;
    if (gone) set(true);
    else seen(); // whoever unlocks a screen is there
  });
  for (const name of SIGNS) window.addEventListener(name, sign, { passive: true, capture: true });
  document.addEventListener('visibilitychange', seen);
  if (away) changed(true);
  else timer = setTimeout(look, AWAY_AFTER_MS);
  return () => {
    clearTimeout(timer);
    for (const name of SIGNS) window.removeEventListener(name, sign, { capture: true });
    document.removeEventListener('visibilitychange', seen);
    deaf?.();
  };
}
