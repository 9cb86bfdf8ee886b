import { rowKey, type Message } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import { BoardView } from '../board/board-view.svelte';
import { ASK_EVERY_MS, ASKED_FOR_MS, Gather, QUIET_MS } from './gather.svelte';
import type { Person } from './person';
import type { RoomSession } from './session.svelte';

const person = (id: string, more: Partial<Person> = {}) =>
  ({
    key: rowKey({ memberId: id, actor: { userId: id } }),
    memberId: id,
    name: id,
    self: id === 'me',
    state: 'active',
    ...more,
  }) as Person;
const call = (id: string, data: unknown = { viewport: { x: 100, y: 0, w: 900, h: 600 } }) =>
  ({ type: 'gather', data, memberId: id, actor: { userId: id } }) as Message;

let people: Person[];
let told: unknown[];
let hear: (message: Message) => void;
let notes: Notes;
let view: BoardView;
let gather: Gather;

beforeEach(() => {
  vi.useFakeTimers();
  people = [person('me'), person('ada'), person('bo')];
  told = [];
  notes = new Notes();
  view = new BoardView();
  const session = {
    view,
    get people() {
      return people;
    },
    get others() {
      return people.length - 1;
    },
    tell: async (...args: unknown[]) => void told.push(args),
    onEvent: (_: string, listener: (message: Message) => void) => ((hear = listener), () => {}),
  } as unknown as RoomSession;
  gather = new Gather(session, notes);
  gather.listen();
});
afterEach(() => vi.useRealTimers());

describe('Gather', () => {
  it('asks once in a while, and not when nobody is there', async () => {
    await gather.ask();
    await gather.ask();
    expect(told.length).toBe(1);
    vi.advanceTimersByTime(ASK_EVERY_MS);
    await gather.ask();
    expect(told.length).toBe(2);
    people = [person('me')];
    vi.advanceTimersByTime(ASK_EVERY_MS);
    await gather.ask();
    expect(told.length).toBe(2);
  });

  it('shows one call at a time, the newest, and goes there or not', () => {
    hear(call('ada'));
    hear(call('bo', { viewport: { x: 5_000, y: 0, w: 900, h: 600 } }));
    expect(gather.call?.by.memberId).toBe('bo');
    gather.answer(true);
    expect([gather.call, view.camera.x]).toEqual([null, 5_000]);
  });

  it('is not asked again for a while by who was told not now', () => {
    hear(call('ada'));
    const before = view.camera;
    gather.answer(false);
    expect(view.camera).toBe(before);
    hear(call('ada'));
    expect(gather.call).toBeNull();
    hear(call('bo'));
    expect(gather.call?.by.memberId).toBe('bo');
    vi.advanceTimersByTime(QUIET_MS + 1);
    hear(call('ada'));
    expect(gather.call?.by.memberId).toBe('ada');
  });

  it.each([
    ['the own one', call('me')],
    ['one of somebody who is not here', call('nobody')],
    ['one to nowhere', call('ada', { viewport: { x: 'here', y: 0, w: 1, h: 1 } })],
    ['one to a spot without a size', call('ada', { viewport: { x: 0, y: 0, w: 0, h: 0 } })],
    ['one without data', call('ada', null)],
  ])('takes %s for none', (_, message) => {
    hear(message);
    expect(gather.call).toBeNull();
  });

  it('ends by itself, and when who called leaves', () => {
    hear(call('ada'));
    vi.advanceTimersByTime(ASKED_FOR_MS);
    expect(gather.call).toBeNull();
    hear(call('ada'));
    gather.rowsChanged([person('me'), person('ada', { state: 'left' })]);
    expect(gather.call).toBeNull();
  });
});
