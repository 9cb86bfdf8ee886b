/** How a person is and what they do, in words. */
import type { Member } from 'parlor-client';
import { activityOf } from '../domain/activity';
import type { Rect } from '../domain/camera';
import { t } from '../i18n';
import type { Person } from '../room/person';

export function stateOf(person: Person): string {
  if (person.state === 'left') return person.putOut ? t.people.wasPutOut : t.people.leftJustNow;
  if (person.state === 'stale') return t.people.reconnecting;
  return person.away ? t.people.away : '';
}

export function doingOf(member: Member | undefined, view: Rect | null): string {
  if (member === undefined) return '';
  const activity = activityOf(member.presence, view);
  switch (activity.kind) {
    case 'typing':
      return t.activity.typing;
    case 'saying':
      return t.activity.saying(activity.text);
    case 'selecting':
      return t.activity.selecting;
    case 'drawing':
      return t.activity[activity.tool];
    case 'looking':
      return activity.outside ? t.activity.outside[activity.where] : t.activity.inside[activity.where];
    case 'nothing':
      return '';
  }
}
