import { rowKey, type Member } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import { BoardView } from '../board/board-view.svelte';
import { Follow } from './follow.svelte';
import { personOf, type Person } from './person';

const member = (id: string, presence: Record<string, unknown> = {}): Member => ({
  ...{ room: 'r', kind: 'room', memberId: id, joinedAt: '2026-11-25T09:00:00.000Z', lastSeenAt: '', metadata: {} },
  ...{ presence: { name: id, ...presence }, actor: { kind: 'user', userId: id, name: id }, state: 'active' },
  ...{ self: id === 'me', verified: true, conflict: false },
});

const looking = (x: number) => ({ viewport: { x, y: 0, w: 900, h: 600, zoom: 1 } });

let members: Member[];
let gone: Set<string>;
let said: Record<string, unknown>[];
let notes: Notes;
let view: BoardView;
let follow: Follow;
let lessMotion: boolean;

const people = (): Person[] =>
  members.map((one) => personOf(one, one.memberId === 'me', gone.has(one.memberId) ? 'left' : null));
const person = (id: string) => people().find((one) => one.memberId === id) as Person;
const change = (id: string, presence: Record<string, unknown>) => {
  members = members.map((one) => (one.memberId === id ? { ...one, presence: { ...one.presence, ...presence } } : one));
  follow.hear(rowKey(member(id)), Object.keys(presence));
  follow.rowsChanged();
};
const frames = (count: number) => vi.advanceTimersByTime(count * 16);

beforeEach(() => {
  vi.useFakeTimers();
  let at = 0;
  vi.stubGlobal('requestAnimationFrame', (run: (now: number) => void) => setTimeout(() => run((at += 16)), 16));
  vi.stubGlobal('cancelAnimationFrame', (id: number) => clearTimeout(id));
  vi.stubGlobal('matchMedia', () => ({ matches: lessMotion }));
  vi.spyOn(performance, 'now').mockImplementation(() => at);
  lessMotion = false;
  gone = new Set();
  members = [member('me', looking(0)), member('ada', looking(5_000)), member('bo', looking(-3_000))];
  said = [];
  notes = new Notes();
  view = new BoardView();
  view.camera = { x: 0, y: 0, zoom: 1 };
  const visit = {
    view,
    get people() {
      return people();
    },
    get me() {
      return person('me');
    },
    memberOf: (key: string) => members.find((one) => rowKey(one) === key),
    say: (presence: Record<string, unknown>) => void said.push(presence),
  };
  follow = new Follow(visit, notes);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const shown = () => notes.shown.map((note) => note.text);

describe('Follow', () => {
  it('goes where they look, says whom, and rests when it is there', () => {
    follow.start(person('ada'));
    expect(said).toEqual([{ following: 'ada' }]);
    frames(5);
    expect(view.camera.x).toBeGreaterThan(0);
    expect(view.camera.x).toBeLessThan(5_000);
    frames(200);
    expect(view.camera).toEqual({ x: 5_000, y: 0, zoom: 1 });
    expect(vi.getTimerCount()).toBeLessThan(3); // a note that passes and no frame
    change('ada', looking(6_000));
    frames(200);
    expect(view.camera.x).toBe(6_000);
  });

  it('snaps for those who want less motion', () => {
    lessMotion = true;
    follow.start(person('ada'));
    frames(1);
    expect(view.camera.x).toBe(5_000);
  });

  it('ends with the own hand, and not with a window that changes its size', () => {
    follow.start(person('ada'));
    frames(3);
    view.resize({ w: 450, h: 300 });
    expect(follow.whom?.memberId).toBe('ada');
    frames(200);
    expect(view.camera.zoom).toBeCloseTo(0.5);
    view.pan(1, 0);
    expect([follow.whom, said.at(-1), shown()]).toEqual([null, { following: undefined }, []]);
    const { x } = view.camera;
    change('ada', looking(9_000));
    frames(200);
    expect(view.camera.x).toBe(x);
  });

  // W1
  it.each([
    ['they leave', () => gone.add('ada'), /ada left/],
    ['they are gone from the list', () => (members = members.filter((one) => one.memberId !== 'ada')), /ada left/],
  ])('ends with a word when %s', (_, leave, word) => {
    follow.start(person('ada'));
    leave();
    follow.rowsChanged();
    expect(follow.whom).toBeNull();
    expect(shown()).toEqual([expect.stringMatching(word)]);
  });

  it('ends with a word when they do not want it any more, and does not begin again', () => {
    follow.start(person('ada'));
    change('ada', { private: { follow: true } });
    expect([follow.whom, said.at(-1)]).toEqual([null, { following: undefined }]);
    follow.start(person('ada'));
    expect(follow.whom).toBeNull();
    expect(shown()).toEqual(['ada no longer lets others follow.', 'ada lets nobody follow.']);
  });

  // W2
  it('stands still in a loop, and goes on when somebody leaves it', () => {
    follow.start(person('ada'));
    frames(200);
    change('ada', { following: 'bo' });
    expect(follow.still).toBe(false);
    change('bo', { following: 'me' });
    expect(follow.still).toBe(true);
    const before = view.camera;
    change('ada', looking(7_000));
    frames(200);
    expect(view.camera).toBe(before);
    change('bo', { following: null });
    expect(follow.still).toBe(false);
    frames(200);
    expect(view.camera.x).toBe(7_000);
  });

  it('knows who follows this person', () => {
    change('ada', { following: 'me' });
    change('bo', { following: 'me' });
    expect(follow.followers.map((one) => one.memberId)).toEqual(['ada', 'bo']);
    change('ada', { following: 7 });
    gone.add('bo');
    follow.rowsChanged();
    expect(follow.followers).toEqual([]);
  });

  it('takes a view that says nonsense for none', () => {
    follow.start(person('ada'));
    frames(200);
    const before = view.camera;
    change('ada', { viewport: { x: 'far', y: 0, w: -1, h: 2 } });
    frames(50);
    expect(view.camera).toBe(before);
  });
});
