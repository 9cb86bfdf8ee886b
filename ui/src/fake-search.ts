/**
 * Simulated people by the page's address, in development only: `?fake=1&people=12&room=Lab&theme=dark`. In the
 * private room, `room=Night%20watch`, `as=` says whether one is its `creator`, a `host`, a `member`, or put `out`.
 */
import { fakeBackend, type FakeOptions } from 'parlor-client/fake';
import type { Backend, NetworkState, Theme } from 'parlor-client';

export function fakeFromSearch(search: URLSearchParams): { backend: Backend; room: string | null } {
  const number = (key: string, otherwise: number) => Number(search.get(key) ?? otherwise);
  const backend = fakeBackend({
    people: number('people', 5),
    rooms: number('rooms', 5),
    seed: number('seed', 7),
    named: !search.has('first'),
    network: (search.get('network') ?? 'online') as NetworkState,
    locked: search.has('locked'),
    lively: search.has('lively'),
    standing: (search.get('as') ?? 'creator') as NonNullable<FakeOptions['standing']>,
    theme: (search.get('theme') ?? 'system') as Theme,
    clockAheadMs: search.has('ahead') ? number('ahead', 0) * 60_000 : null,
    newer: number('newer', 0),
    cloned: search.has('cloned')
      ? { since: new Date().toISOString(), readOnly: search.get('cloned') === 'read-only', others: [] }
      : null,
  });
  return { backend, room: search.get('room') };
}
