/**
 * Why somebody is grey, of what this peer knows: how they are, when it last heard of them, whether it has a link to them,
 * and what others said when they were asked. One plain sentence, which the catalogue has.
 */
import type { Evidence, EvidenceVerdict, LeftReason } from 'parlor-client';

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
  /** Null before anybody looked. */
  readonly evidence: Evidence | null;
}

/** What witnesses make of a silence. */
type Told = 'youLostThem' | 'someLostThem' | 'allLostThem' | 'noAnswer' | 'theyLeft';

export type Grey =
  | { readonly why: 'away' | 'ownOutage' | LeftReason }
  | { readonly why: 'silentLinked' | 'silentUnlinked' | 'silentRelayed'; readonly seconds: number }
  | {
      readonly why: Told;
      readonly seconds: number;
      /** Others that still hear them. */
      readonly hear: number;
      /** Others that were asked and do not. */
      readonly lost: number;
    };

const TOLD: Partial<Record<EvidenceVerdict, Told>> = {
  youLostThem: 'youLostThem',
  someLostThem: 'someLostThem',
  allLostThem: 'allLostThem',
  noAnswer: 'noAnswer',
  left: 'theyLeft',
};

/** Null for who is not grey. */
export function whyGrey(known: Known, now: number): Grey | null {
  if (known.state === 'left') {
    // Silence alone ended them: what others said of it says more.
    const silence = known.gone === 'timeout' || known.gone === 'disconnected';
    return (silence ? toldOf(known.evidence) : null) ?? { why: known.gone ?? 'left' };
  }
  if (known.state === 'active') return known.away ? { why: 'away' } : null;
  if (!known.complete) return { why: 'ownOutage' };
  const told = toldOf(known.evidence);
  if (told !== null) return told;
  const seen = Date.parse(known.lastSeenAt);
  const seconds = Number.isNaN(seen) ? 0 : Math.max(0, Math.round((now - seen) / 1000));
  if (known.linked === true) return { why: 'silentLinked', seconds };
  return { why: known.wasLinked ? 'silentUnlinked' : 'silentRelayed', seconds };
}

function toldOf(evidence: Evidence | null): Grey | null {
  const why = evidence === null ? undefined : TOLD[evidence.verdict];
  if (evidence === null || why === undefined) return null;
  const count = (...says: string[]) => evidence.witnesses.filter((witness) => says.includes(witness.says)).length;
  const lost = why === 'theyLeft' ? count('left') : count('silent', 'left');
  return {
    why,
    seconds: Math.round(evidence.heardMsAgo / 1000),
    hear: count('hears'),
    lost: why === 'noAnswer' ? evidence.witnesses.length : lost,
  };
}
