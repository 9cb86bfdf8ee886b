/** A row of the people list as a view needs it, made of a member of the room. Changes with it, except for what moves. */
import { rowKey, type Evidence, type LeftReason, type Member, type RowKey } from 'parlor-client';
import { initialsOf } from '../domain/initials';
import {
  chatOf,
  colourOf,
  editingOf,
  followingOf,
  isAway,
  isTyping,
  letsFollow,
  nameOf,
  roleOf,
  statusOf,
  toolOf,
  type Tool,
} from '../domain/seen';

/** Presence that changes many times a second. It is drawn by the board's own loop and never makes a row anew. */
export const HOT_KEYS: ReadonlySet<string> = new Set([
  'cursor',
  'viewport',
  'selection',
  'ink',
  'selected',
  'moving',
  'editing',
]);

export interface Person {
  readonly key: RowKey;
  readonly memberId: string;
  readonly userId: string;
  readonly joinedAt: string;
  readonly name: string;
  readonly initials: string;
  readonly colour: string;
  /** This window's own person. */
  readonly self: boolean;
  readonly state: 'active' | 'stale' | 'left';
  /** Why they are gone, if they are. */
  readonly gone: LeftReason | null;
  /** What was known when they were given up; null for whoever is here or left by a word. */
  readonly evidence: Evidence | null;
  /** Gone because a host put them out. */
  readonly putOut: boolean;
  /** The member whom they follow. */
  readonly following: string | null;
  readonly letsFollow: boolean;
  /** Their last sign of life when this row was made, by this computer's clock. */
  readonly lastSeenAt: string;
  readonly away: boolean;
  readonly role: string | null;
  readonly status: string | null;
  readonly chat: string | null;
  /** Into the log: whoever writes in a note or at their cursor is seen to write there. */
  readonly typing: boolean;
  readonly tool: Tool | null;
  readonly guest: boolean;
  /** Nobody: a network lab makes them up. */
  readonly simulated: boolean;
  /** The user whose peer a guest is hosted by. */
  readonly via: string | null;
  readonly conflict: boolean;
}

export function personOf(member: Member, self: boolean, gone: LeftReason | null = null): Person {
  const { presence } = member;
  const name = nameOf(presence, member.actor.name || member.memberId);
  return {
    key: rowKey(member),
    memberId: member.memberId,
    userId: member.actor.userId,
    joinedAt: member.joinedAt,
    name,
    initials: initialsOf(name),
    colour: colourOf(presence, member.actor.userId),
    self,
    state: gone === null ? member.state : 'left',
    gone,
    evidence: gone === null ? null : (member.evidence ?? null),
    putOut: gone === 'excluded',
    following: followingOf(presence),
    letsFollow: letsFollow(presence),
    lastSeenAt: member.lastSeenAt,
    away: isAway(presence),
    role: roleOf(presence, member.metadata),
    status: statusOf(presence),
    chat: chatOf(presence),
    typing: isTyping(presence) && editingOf(presence) === null && chatOf(presence) === null,
    tool: toolOf(presence),
    guest: member.actor.kind === 'guest',
    simulated: member.simulated === true,
    via: member.actor.via ?? null,
    conflict: member.conflict,
  };
}

/** The order of the screen: everybody in the room's stable order, this window's person first. */
export const selfFirst = (people: readonly Person[]): Person[] => [
  ...people.filter((person) => person.self),
  ...people.filter((person) => !person.self),
];
