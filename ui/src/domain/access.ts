/**
 * Who may do what in a private room (design N8), as this window offers it: what is not offered would be refused by the
 * peer too. And what a change of it is told as.
 */
import type { Access, Keyholder } from 'parlor-client';

/** How somebody stands in a room. In an open one everybody may everything, and its lock is a wish. */
export type Standing = 'open' | 'creator' | 'host' | 'member';

export function standingOf(access: Access | null, isPrivate: boolean, userId: string): Standing {
  if (access === null) return isPrivate ? 'member' : 'open';
  if (access.creator === userId) return 'creator';
  return keyholder(access, userId)?.host === true ? 'host' : 'member';
}

export const keyholder = (access: Access | null, userId: string): Keyholder | undefined =>
  access?.people.find((person) => person.userId === userId);

/** What somebody may decide over somebody else. */
export interface Powers {
  readonly nameHost: boolean;
  readonly strike: boolean;
  readonly putOut: boolean;
}

const NONE: Powers = { nameHost: false, strike: false, putOut: false };

/** Nobody decides over themselves or who made the room; over a host only who made it does. */
export function powersOver(access: Access | null, me: string, other: string): Powers {
  const mine = standingOf(access, true, me);
  const theirs = standingOf(access, true, other);
  if (access === null || mine === 'member' || theirs === 'creator') return NONE;
  if (theirs === 'host' && mine !== 'creator') return NONE;
  const inside = keyholder(access, other)?.inside !== false;
  return { nameHost: mine === 'creator' && inside, strike: true, putOut: inside };
}

/** What changed between two moments; everybody by user id. */
export interface AccessNews {
  /** Who changed the key. */
  readonly keyBy: string | null;
  readonly out: readonly string[];
  readonly hosts: readonly string[];
  readonly noHosts: readonly string[];
  readonly struck: readonly string[];
  readonly restored: readonly string[];
}

export function newsOf(before: Access, after: Access): AccessNews {
  const which = (changed: (was: Keyholder | undefined, is: Keyholder) => boolean) =>
    after.people.filter((is) => changed(keyholder(before, is.userId), is)).map((person) => person.userId);
  return {
    keyBy: after.epoch > before.epoch ? after.rekeyedBy : null,
    out: which((was, is) => was?.inside === true && !is.inside),
    hosts: which((was, is) => was?.host !== true && is.host),
    // Of whoever is out that is the news.
    noHosts: which((was, is) => was?.host === true && !is.host && is.inside),
    struck: which((was, is) => was?.voided !== true && is.voided),
    restored: which((was, is) => was?.voided === true && !is.voided),
  };
}
