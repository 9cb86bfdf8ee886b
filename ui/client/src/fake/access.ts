/** Who may do what in a simulated private room: the same answers and refusals as a real peer's. */
import { ParlorError } from '../errors';
import type { Access } from '../generated/Access';
import type { AccessChange } from '../generated/AccessChange';
import type { ErrorCode } from '../generated/ErrorCode';
import type { Person } from '../generated/Person';

/** As whom the window's person is in the room. */
export type FakeStanding = 'creator' | 'host' | 'member';

const person = (userId: string, name: string, more: Partial<Person> = {}): Person => ({
  ...{ userId, name, host: false, voided: false, inside: true },
  ...more,
});

/** A room with these people in it, and some who are not: one who has the key, one who was put out. */
export function fakeAccess(
  room: string,
  me: { userId: string; name: string },
  others: readonly { userId: string; name: string }[],
  standing: FakeStanding,
): Access {
  const [first] = others;
  const creator = standing === 'creator' || first === undefined ? me.userId : first.userId;
  const people = [
    person(me.userId, me.name, { host: creator === me.userId || standing === 'host' }),
    ...others.map(({ userId, name }, place) => person(userId, name, { host: userId === creator || place === 1 })),
  ];
  if (first !== undefined) {
    people.push(person('u_gone', 'Merry Marten', { host: true }), person('u_out', 'Bold Ibex', { inside: false }));
  }
  const rekeyedAt = first === undefined ? null : new Date(Date.now() - 5_400_000).toISOString();
  const rekeyedBy = first === undefined ? null : creator;
  return { room, kind: 'room', creator, locked: false, epoch: rekeyedBy ? 1 : 0, rekeyedBy, rekeyedAt, people };
}

/** The room after a decision of `me`, or why it is refused. */
export function decided(access: Access, change: AccessChange, me: string): Access {
  const { hosts = {}, exclude = [], rekey = false } = change;
  const known = (userId: string) => access.people.find((one) => one.userId === userId);
  if (Object.keys(hosts).length > 0 && me !== access.creator)
    refuse('FORBIDDEN', 'only who made the room names its hosts');
  mustBeHost(access, me);
  for (const userId of [...Object.keys(hosts), ...Object.keys(change.void ?? {}), ...exclude]) {
    const other = known(userId) ?? refuse('NOT_FOUND', `${userId} was never in this room, as far as is known here`);
    if (userId === access.creator) refuse('FORBIDDEN', 'nobody can take the room from who made it');
    if (other.host && me !== access.creator) refuse('FORBIDDEN', 'only who made the room decides over its hosts');
  }
  const people = access.people.map((one) => ({
    ...one,
    host: !exclude.includes(one.userId) && (hosts[one.userId] ?? one.host),
    voided: change.void?.[one.userId] ?? one.voided,
    inside: !exclude.includes(one.userId) && one.inside,
  }));
  const newKey = rekey || exclude.length > 0 || Object.values(hosts).includes(false);
  const key = { epoch: access.epoch + 1, rekeyedBy: me, rekeyedAt: new Date().toISOString() };
  return { ...access, people, ...(newKey ? key : {}) };
}

/** Whether somebody may change these keys of the metadata. */
export function mayWrite(access: Access, keys: readonly string[], who: string): void {
  if (access.people.some((one) => one.userId === who && one.host)) return;
  if (keys.includes('locked')) refuse('FORBIDDEN', 'only a host of a private room locks and unlocks it');
  if (access.locked) refuse('ROOM_LOCKED', 'the room is locked: only its hosts may change what is shared');
}

function mustBeHost(access: Access, who: string): void {
  if (!access.people.some((one) => one.userId === who && one.host))
    refuse('FORBIDDEN', 'only a host of a private room may do this');
}

export function refuse(code: ErrorCode, message: string): never {
  throw new ParlorError({ code, message, recoverable: false });
}
