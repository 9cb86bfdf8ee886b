/**
 * Tells when the person is away: a minute without a sign, or a hidden window. It says something about the status and
 * nothing about membership, which lives in the peer and not in a page's timers.
 */
const AWAY_AFTER_MS = 60_000;
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const;

export function watchIdle(changed: (away: boolean) => void): () => void {
  let away = document.hidden;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let signAt = performance.now();

  const set = (next: boolean) => {
    if (next !== away) changed((away = next));
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

  for (const name of SIGNS) window.addEventListener(name, sign, { passive: true, capture: true });
  document.addEventListener('visibilitychange', seen);
  if (away) changed(true);
  else timer = setTimeout(look, AWAY_AFTER_MS);
  return () => {
    clearTimeout(timer);
    for (const name of SIGNS) window.removeEventListener(name, sign, { capture: true });
    document.removeEventListener('visibilitychange', seen);
  };
}
