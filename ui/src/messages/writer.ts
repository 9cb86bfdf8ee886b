/** Who said a message, as it is shown: as they are in the room now, else as they were called when they said it. */
import { rowKey, type Message } from 'parlor-client';
import { colourFor } from '../domain/colour';
import { initialsOf } from '../domain/initials';
import { lineOf } from '../domain/line';
import type { Person } from '../room/person';

const NAME_LETTERS = 48;

export interface Writer {
  readonly name: string;
  readonly initials: string;
  readonly colour: string;
  readonly self: boolean;
  /** Hosted by another's peer, so the name is not proven. */
  readonly guest: boolean;
  /** Another is in the room under the same member id. */
  readonly conflict: boolean;
}

export function writerOf(message: Message, people: ReadonlyMap<string, Person>, me: string): Writer {
  const { actor } = message;
  const here = people.get(rowKey(message)) ?? people.get(actor.userId);
  const name = here?.name ?? lineOf(actor.name, NAME_LETTERS) ?? lineOf(message.memberId, NAME_LETTERS) ?? '?';
  return {
    name,
    initials: here?.initials ?? initialsOf(name),
    colour: here?.colour ?? colourFor(actor.userId),
    self: actor.userId === me,
    guest: actor.kind === 'guest',
    conflict: here?.conflict ?? false,
  };
}

/** Everybody who is here, by the key of their row and by their user id. */
export function peopleByKey(people: readonly Person[]): ReadonlyMap<string, Person> {
  const found = new Map<string, Person>();
  for (const person of people) {
    found.set(person.key, person);
    if (!found.has(person.userId)) found.set(person.userId, person);
  }
  return found;
}
