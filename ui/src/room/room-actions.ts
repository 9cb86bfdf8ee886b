/** What can be done in a room, by key and by name: people, the room itself, and what others see of this person. */
import type { Action } from '../app/actions.svelte';
import type { App } from '../app/app.svelte';
import { clock, t } from '../i18n';
import type { Gather } from './gather.svelte';
import type { Person } from './person';
import type { RoomSession } from './session.svelte';

/** What the room's view does when it is asked. */
export interface RoomDoings {
  toggle(panel: 'people' | 'details'): void;
  invite(): void;
  connection(): void;
  goTo(person: Person): void;
  /** False when there was nothing to close. */
  close(): boolean;
}

/** People whom a key follows, in the order of the screen. */
const NINE = 9;

export function roomActions(app: App, session: RoomSession, gather: Gather, doings: RoomDoings): readonly Action[] {
  return [...ofPeople(session, gather, doings), ...ofRoom(session, doings), ...ofPrivacy(app)];
}

function ofPeople(session: RoomSession, gather: Gather, doings: RoomDoings): readonly Action[] {
  const { follow } = session;
  const others = session.people.filter((person) => !person.self && person.state !== 'left');
  const actions: Action[] = [
    // First, so that Esc ends this before anything else.
    {
      id: 'unfollow',
      group: 'people',
      words: t.follow.stop,
      keys: ['Escape'],
      only: 'keys',
      run: () => follow.whom !== null && (follow.stop(), true),
    },
    { id: 'people', group: 'people', words: t.actions.people, keys: ['M'], run: () => doings.toggle('people') },
    { id: 'gather', group: 'people', words: t.actions.gather, keys: ['G'], run: () => void gather.ask() },
    { id: 'follow-nth', group: 'people', words: t.actions.followNth, shown: ['Alt', '1', '–', '9'], only: 'sheet' },
  ];
  if (!session.isSample && !session.isGuest)
    actions.push({ id: 'invite', group: 'people', words: t.actions.invite, run: () => doings.invite() });
  const { call } = gather;
  if (call !== null) {
    const asked = t.gather.asks(call.by.name);
    actions.unshift({
      id: 'gather-go',
      group: 'people',
      words: `${asked}: ${t.gather.go}`,
      run: () => gather.answer(true),
    });
    actions.unshift({
      id: 'gather-not-now',
      group: 'people',
      words: `${asked}: ${t.gather.notNow}`,
      run: () => gather.answer(false),
    });
  }
  others.forEach((person, place) => {
    const followed = follow.whom?.key === person.key;
    actions.push({
      id: `follow-${person.key}`,
      group: 'people',
      words: followed ? t.actions.stopFollowing(person.name) : t.actions.followOne(person.name),
      ...(place < NINE ? { keys: [`Alt+Digit${place + 1}`] } : { deep: true }),
      only: 'palette',
      run: () => follow.toggle(person),
    });
  });
  for (const person of others)
    actions.push({
      id: `go-${person.key}`,
      group: 'people',
      words: t.room.goTo(person.name),
      deep: true,
      run: () => doings.goTo(person),
    });
  return actions;
}

function ofRoom(session: RoomSession, doings: RoomDoings): readonly Action[] {
  const { settings } = session;
  const actions: Action[] = [
    { id: 'details', group: 'room', words: t.actions.details, keys: ['I'], run: () => doings.toggle('details') },
    {
      id: 'close',
      group: 'room',
      words: t.actions.cancel,
      keys: ['Escape'],
      only: 'keys',
      late: true,
      run: () => doings.close(),
    },
  ];
  if (settings.mayLock)
    actions.push({
      id: 'lock',
      group: 'room',
      words: settings.locked ? t.actions.unlock : t.actions.lock,
      run: () => void settings.change({ metadata: { locked: !settings.locked } }),
    });
  if (!session.isSample && !session.isGuest)
    actions.push({ id: 'connection', group: 'room', words: t.actions.connection, run: () => doings.connection() });
  return actions;
}

/** What this person shows and sees. */
function ofPrivacy(app: App): readonly Action[] {
  const { settings, session } = app;
  const { noCursor, noFollow } = settings.privacy;
  const hidden = settings.othersHidden;
  return [
    {
      id: 'others-cursors',
      group: 'people',
      words: hidden ? t.actions.showOthers : t.actions.hideOthers,
      keys: ['Shift+C'],
      run: () => settings.set({ othersHidden: !hidden }),
    },
    {
      id: 'own-cursor',
      group: 'people',
      words: noCursor ? t.actions.showMine : t.actions.hideMine,
      run: () => app.setPrivacy({ noCursor: !noCursor }),
    },
    {
      id: 'no-follow',
      group: 'people',
      words: noFollow ? t.actions.letFollow : t.actions.noFollow,
      run: () => app.setPrivacy({ noFollow: !noFollow }),
    },
    ...statuses().map((status, place) => ({
      id: `status-${place}`,
      group: 'people' as const,
      words: t.actions.status(status),
      deep: true,
      run: () => session?.own.setStatus(status),
    })),
    { id: 'no-status', group: 'people', words: t.actions.noStatus, deep: true, run: () => session?.own.setStatus('') },
  ];
}

/** Words that are often wanted as a status, with times of today. */
export function statuses(now: number = Date.now()): readonly string[] {
  const QUARTER = 15 * 60_000;
  // "Back at 14:45", not 14:37.
  return t.people.statuses((minutes) => clock(Math.ceil((now + minutes * 60_000) / QUARTER) * QUARTER));
}
