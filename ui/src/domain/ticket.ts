/**
 * Tickets as people pass them on: pasted from a mail, with a bracket or a line break that is not theirs. Whether one is
 * whole, and what it is for, only the peer can say.
 */

const AROUND = /^[\s<>"'“”‘’()]+|[\s<>"'“”‘’().,;]+$/g;

/** The ticket or link that a text is, fit for the peer to read; null for anything else, such as a room's name. */
export function ticketIn(text: string): string | null {
  const bare = text.replace(AROUND, '');
  return /^parlor:/i.test(bare) ? bare.replace(/\s+/g, '') : null;
}
