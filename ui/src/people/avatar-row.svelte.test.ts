// @vitest-environment happy-dom
import { applyBatch, emptyRoom, type Member } from 'parlor-client';
import { flushSync, mount, unmount } from 'svelte';
import { describe, expect, it } from 'vitest';
import { personOf, type Person } from '../room/person';
import AvatarRow from './AvatarRow.svelte';

const member = (id: string, second: number): Member => ({
  room: 'r',
  kind: 'room',
  memberId: id,
  joinedAt: `2026-11-25T10:00:0${second}.000Z`,
  lastSeenAt: '2026-11-25T10:00:00.000Z',
  metadata: {},
  presence: {},
  actor: { kind: 'user', userId: id, name: id },
  state: 'active',
  self: false,
  verified: true,
  conflict: false,
});

// There is no layout here; this much room has the row in a window.
Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 600 });

describe('AvatarRow', () => {
  // S1
  it('keeps its elements in place, self first, while everybody moves', () => {
    let state = applyBatch(emptyRoom('r'), {
      seq: 1,
      updates: [],
      events: [
        {
          type: 'snapshot',
          room: 'r',
          members: ['d', 'b', 'me', 'a', 'c'].map((id, i) => member(id, i)),
          metadata: emptyRoom('r').metadata,
          watching: 0,
          paceMs: 34,
          complete: true,
          at: 0,
        },
      ],
    }).state;
    const target = document.createElement('div');
    const rows = (): Person[] => state.members.map((row) => personOf(row, row.memberId === 'me'));
    const props = $state({ people: rows(), onpick: () => {}, onmore: () => {} });
    const row = mount(AvatarRow, { target, props });
    flushSync();
    const faces = () => [...target.querySelectorAll('[data-testid=avatar]')];
    const before = faces();
    expect(before.map((face) => face.getAttribute('data-member'))).toEqual(['me', 'd', 'b', 'a', 'c']);
    for (let i = 0; i < 50; i++) {
      const id = ['a', 'b', 'c', 'd', 'me'][(i * 3) % 5] ?? 'a';
      const update = {
        memberId: id,
        userId: id,
        presence: { cursor: { x: i, y: i }, typing: i % 2 === 0 },
        unset: [],
        lastSeenAt: `2026-11-25T10:01:${10 + i}.000Z`,
      };
      state = applyBatch(state, { seq: i + 2, events: [], updates: [update] }).state;
      props.people = rows();
      flushSync();
      expect(faces().every((face, place) => face === before[place])).toBe(true);
    }
    void unmount(row);
  });

  it('says of whom a network lab makes up that they are nobody', () => {
    const simulated: Member = { ...member('s', 1), actor: { kind: 'guest', userId: 's', name: 'Sim' }, simulated: true };
    const target = document.createElement('div');
    const people = [member('a', 0), simulated].map((row) => personOf(row, false));
    const row = mount(AvatarRow, { target, props: { people, onpick: () => {}, onmore: () => {} } });
    flushSync();
    const tips = [...target.querySelectorAll('[data-testid=avatar]')].map((face) => face.getAttribute('title'));
    expect(tips.map((tip) => tip?.includes('simulated'))).toEqual([false, true]);
    void unmount(row);
  });
});
