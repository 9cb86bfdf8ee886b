/**
 * Why somebody is grey, of what this peer knows: how they are, when it last heard of them, and whether it has a link to
 * them. One plain sentence, which the catalogue has.
 */
import type { LeftReason } from 'parlor-client';

export interface Known {
  readonly state: 'active' | 'stale' | 'left';
  readonly away: boolean;
  /** Why they are gone, if they are. */
  readonly gone: LeftReason | null;
  readonly lastSeenAt: string;
  /** Whether the peer is linked to one of their sessions; null when nobody has looked yet. */
  readonly linked: boolean | null;
  /** Whether there was such a link while this window looked. */
  readonly wasLinked: boolean;
  /** False while the peer's own network is out. */
  readonly complete: boolean;
}

export type Grey =
  | { readonly why: 'away' | 'ownOutage' | LeftReason }
  | { readonly why: 'silentLinked' | 'silentUnlinked' | 'silentRelayed'; readonly seconds: number };

/** Null for who is not grey. */
export function whyGrey(known: Known, now: number): Grey | null {
  if (known.state === 'left') return { why: known.gone ?? 'left' };
  if (known.state === 'active') return known.away ? { why: 'away' } : null;
  if (!known.complete) return { why: 'ownOutage' };
  const seen = Date.parse(known.lastSeenAt);
  const seconds = Number.isNaN(seen) ? 0 : Math.max(0, Math.round((now - seen) / 1000));
  if (known.linked === true) return { why: 'silentLinked', seconds };
  return { why: known.wasLinked ? 'silentUnlinked' : 'silentRelayed', seconds };
}
