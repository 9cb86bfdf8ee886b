/**
 * What the bar over the board says about the connection (ux "Room"): nothing under two seconds, amber until ten, then
 * red; green for two seconds when it is back, if anything was shown. Own work never waits for any of it.
 */
export type Phase = 'quiet' | 'amber' | 'red' | 'back';

export interface Trouble {
  /** When it began, or null when all is well. */
  readonly since: number | null;
  /** When the last one that was shown ended. */
  readonly backAt: number | null;
}

export const AMBER_AFTER_MS = 2_000;
export const RED_AFTER_MS = 10_000;
export const BACK_FOR_MS = 2_000;

export function phaseOf({ since, backAt }: Trouble, now: number): Phase {
  if (since !== null) {
    const lasted = now - since;
    return lasted < AMBER_AFTER_MS ? 'quiet' : lasted < RED_AFTER_MS ? 'amber' : 'red';
  }
  return backAt !== null && now - backAt < BACK_FOR_MS ? 'back' : 'quiet';
}

/** The trouble after hearing whether all is well at `now`. */
export function heard(trouble: Trouble, well: boolean, now: number): Trouble {
  if (!well) return trouble.since === null ? { since: now, backAt: null } : trouble;
  if (trouble.since === null) return trouble;
  const shown = now - trouble.since >= AMBER_AFTER_MS;
  return { since: null, backAt: shown ? now : null };
}

/** Milliseconds until the phase changes by itself, or null. */
export function nextPhaseIn(trouble: Trouble, now: number): number | null {
  const { since, backAt } = trouble;
  const moments =
    since !== null ? [since + AMBER_AFTER_MS, since + RED_AFTER_MS] : backAt !== null ? [backAt + BACK_FOR_MS] : [];
  const next = moments.find((moment) => moment > now);
  return next === undefined ? null : next - now;
}

/**
 * Whether this end has trouble: the way to the peer is down, the peer's network is out, or of several others not one is
 * heard. One other who goes silent is that person's trouble, and their row says so.
 */
export function isWell(link: boolean, complete: boolean, others: number, heardOthers: number): boolean {
  return link && complete && !(others >= 2 && heardOthers === 0);
}
