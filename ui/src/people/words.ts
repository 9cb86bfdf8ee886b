/** How a person is and what they do, in words. */
import type { Member } from 'parlor-client';
import { SYSTEMS, type Device } from '../domain/device';
import { activityOf } from '../domain/activity';
import type { Rect } from '../domain/camera';
import { whyGrey } from '../domain/why-grey';
import { t } from '../i18n';
import type { Person } from '../room/person';
import type { RoomSession } from '../room/session.svelte';
import type { Reach } from './reach.svelte';

export function stateOf(person: Person): string {
  if (person.state === 'left') return person.putOut ? t.people.wasPutOut : t.people.leftJustNow;
  if (person.state === 'stale') return t.people.reconnecting;
  return person.away ? t.people.away : '';
}

/** What a device is called: by its person, else by what it is. */
export function deviceWords(device: Device | null): string {
  if (device === null) return t.devices.program;
  const { system, app, name } = device;
  return name ?? [system === null ? '' : SYSTEMS[system], app === null ? '' : t.devices[app]].filter(Boolean).join(', ');
}

/** `titleOf` says what a note is called, if it is there and called anything. */
export function doingOf(
  member: Member | undefined,
  view: Rect | null,
  titleOf: (note: string) => string | null = () => null,
): string {
  if (member === undefined) return '';
  const activity = activityOf(member.presence, view);
  switch (activity.kind) {
    case 'typing':
      return t.activity.typing;
    case 'saying':
      return t.activity.saying(activity.text);
    case 'writing':
      return t.activity.writing(titleOf(activity.note), activity.typing);
    case 'selecting':
      return activity.notes === 0 ? t.activity.selecting : t.activity.selectingNotes(activity.notes);
    case 'drawing':
      return t.activity[activity.tool];
    case 'looking':
      return activity.outside ? t.activity.outside[activity.where] : t.activity.inside[activity.where];
    case 'nothing':
      return '';
  }
}

/** Whom somebody follows, in words; nothing when nobody who is here. */
export function followingOf(person: Person, people: readonly Person[]): string {
  const whom = people.find((one) => one.memberId === person.following && one.state !== 'left');
  if (person.self || person.state === 'left' || whom === undefined) return '';
  return whom.self ? t.people.followsYou : t.people.follows(whom.name);
}

/** Why somebody is grey, in one sentence; null for who is not. */
export function greyOf(person: Person, session: RoomSession, reach: Reach | null): string | null {
  const member = session.memberOf(person.key);
  const { state, away, gone } = person;
  const grey = whyGrey(
    {
      ...{
        state,
        away,
        gone,
        lastSeenAt: member?.lastSeenAt ?? person.lastSeenAt,
        complete: session.connection.complete,
      },
      ...{ linked: reach?.linked ?? null, wasLinked: reach?.wasLinked ?? false },
      evidence: (state === 'left' ? person.evidence : reach?.evidence) ?? null,
    },
    Date.now(),
  );
  if (grey === null) return null;
  if ('hear' in grey) return t.grey[grey.why](person.name, grey.seconds, grey.hear, grey.lost);
  return 'seconds' in grey ? t.grey[grey.why](person.name, grey.seconds) : t.grey[grey.why](person.name);
}
