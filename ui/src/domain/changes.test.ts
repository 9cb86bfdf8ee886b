import type { RoomMetadata } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { CHANGES_MAX, sameValue, SettingChanges, stillStands } from './changes';

const settings = (metadata: Record<string, unknown>, by: string): RoomMetadata => ({
  room: 'r',
  kind: 'room',
  metadata,
  updatedAt: '2026-11-25T12:00:00.000Z',
  updatedBy: by,
  version: 'a',
});

describe('changes of settings', () => {
  it('tell those that somebody made over one’s own, and no others', () => {
    const changes = new SettingChanges();
    const [empty, mine] = [settings({}, 'u_a'), settings({ mode: 'class', phone: 1 }, 'u_me')];
    expect(changes.take(empty, mine, ['mode', 'phone'], 'u_me')).toEqual([]);
    const twice = settings({ mode: 'workshop', phone: 1 }, 'u_me');
    expect(changes.take(mine, twice, ['mode'], 'u_me')).toEqual([]);
    const theirs = settings({ mode: 'war_room', phone: 1, title: 'x' }, 'u_b');
    expect(changes.take(twice, theirs, ['mode', 'title'], 'u_me').map(({ key }) => key)).toEqual(['mode']);
    // It is theirs now: what they do next is over nobody's.
    const again = settings({ mode: 'standup', title: 'x' }, 'u_b');
    expect(changes.take(theirs, again, ['mode', 'phone'], 'u_me').map(({ key }) => key)).toEqual(['phone']);
  });

  it('list the newest twenty, and what still stands', () => {
    const changes = new SettingChanges();
    let before = settings({}, 'u_a');
    for (let i = 0; i < CHANGES_MAX + 5; i++) {
      const after = settings({ title: `t${i}`, pins: [i] }, 'u_a');
      changes.take(before, after, ['title', 'pins'], 'u_me');
      before = after;
    }
    expect(changes.list).toHaveLength(CHANGES_MAX);
    expect(changes.list[0]).toMatchObject({ key: 'title', from: 't23', to: 't24', by: 'u_a' });
    expect(changes.list.filter((change) => stillStands(change, before.metadata))).toEqual([changes.list[0]]);
  });

  it('are none when the value is the same, and know what was removed', () => {
    const changes = new SettingChanges();
    const [one, two] = [settings({ a: { x: 1, y: [1] } }, 'u_a'), settings({ a: { y: [1], x: 1 } }, 'u_b')];
    changes.take(one, two, ['a', 'toString'], 'u_me');
    expect(changes.list).toEqual([]);
    changes.take(two, settings({}, 'u_b'), ['a'], 'u_me');
    expect(changes.list[0]).toMatchObject({ from: { x: 1 }, to: undefined });
    expect(stillStands(changes.list[0] as never, {})).toBe(true);
  });
});

it.each([
  [1, 1, true],
  [1, '1', false],
  [null, undefined, false],
  [[1, 2], [1, 2], true],
  [[1], { 0: 1 }, false],
  [{ a: undefined }, {}, false],
])('%j and %j are the same: %j', (a, b, same) => expect(sameValue(a, b)).toBe(same));
