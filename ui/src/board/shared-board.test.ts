// @vitest-environment happy-dom
import { ParlorError, type Backend, type BoardChange, type ErrorCode, type Member, type Note } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from '../app/notes.svelte';
import { blankNote } from '../domain/note-drafts';
import { Outbox } from '../domain/outbox';
import { personOf, type Person } from '../room/person';
import { NoteMotion } from './note-motion';
import { SharedBoard } from './shared-board.svelte';

const joined = (minute: number) => `2026-11-25T10:0${minute}:00.000Z`;
const member = (id: string, joinedAt: string, presence: Record<string, unknown> = {}, state: Member['state'] = 'active') =>
  ({
    ...{ room: 'r', kind: 'room', memberId: id, joinedAt, lastSeenAt: joinedAt, metadata: {}, presence, state },
    ...{ actor: { kind: 'user', userId: id, name: id }, self: id === 'u_me', verified: true, conflict: false },
  }) as Member;
const note = (id: string, fields: Partial<Note> = {}): Note => ({ ...blankNote(id, 'u_other'), ...fields });
const key = (id: string) => `${id}\u0000${id}`;

let sent: BoardChange[];
/** The notes that the peer says it wrote. */
let answer: (change: BoardChange) => Note[];
let told: Record<string, unknown>[];
let refuse: ErrorCode | null;
let fixed: string | null;
let passing: Notes;
let board: SharedBoard;
let me: Person;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, told, refuse, fixed] = [[], [], null, null];
  answer = ({ set = [] }) => set.map((change) => ({ ...(shown(change.id) ?? note(change.id)), updatedAt: '2030-01-01T00:00:00.000Z' }));
  passing = new Notes();
  me = personOf(member('u_me', joined(5)), true);
  const outbox = new Outbox({ pace: () => 34, send: async (change) => void told.push({ ...change.presence, unset: change.unset }) });
  const backend = {
    setBoard: async (_room: string, change: BoardChange) => {
      sent.push(change);
      if (refuse !== null) throw new ParlorError({ code: refuse, message: 'no', recoverable: refuse === 'NETWORK_UNAVAILABLE' });
      return { room: 'r', kind: 'room', notes: answer(change) };
    },
  } as unknown as Backend;
  board = new SharedBoard({
    ...{ backend, room: 'r', passing, outbox, me: () => 'u_me', nameOf: (id) => id.replace('u_', '') },
    ...{ whyFixed: () => fixed, acted: () => {}, self: () => me, isSelf: (row) => row.memberId === 'u_me' },
  });
  board.notes.heard([note('a', { text: 'Plan B', x: 10 }), note('b', { x: 300 })], []);
});

afterEach(() => {
  board.close();
  vi.useRealTimers();
});

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const shown = (id: string) => board.notes.all.get(id);
const said = () => passing.shown.map(({ text }) => text);
const writes = (id: string, joinedAt: string, on = 'a', state: Member['state'] = 'active') =>
  board.hear(key(id), member(id, joinedAt, { editing: { note: on, from: 0, to: 2 } }, state), ['editing']);

describe('own writes', () => {
  it('are seen at once, and stay when the feed shows them', async () => {
    board.notes.moveBy(['a'], 5, 5);
    expect(shown('a')).toMatchObject({ x: 15, y: 5, text: 'Plan B', updatedBy: 'u_me' });
    await later(0);
    expect(sent).toEqual([{ set: [{ id: 'a', x: 15, y: 5 }], remove: [] }]);
    board.notes.heard([note('a', { text: 'Plan B', x: 15, y: 5 })], []);
    await later(2_000);
    expect(shown('a')).toMatchObject({ x: 15, y: 5 });
  });

  it('stay when the feed is far behind, as in a window that nobody sees', async () => {
    const id = board.notes.create({ x: 0, y: 0 }) ?? '';
    await later(0);
    board.notes.heard([note(id)], []);
    board.editor.start(id);
    board.editor.input('Two');
    board.editor.end();
    board.notes.write({ remove: ['b'] });
    await later(5_000);
    expect(shown(id)?.text).toBe('Two');
    expect(shown('b')).toBeUndefined();
  });

  it('give way to what the feed showed before the answer came', async () => {
    answer = () => [note('a', { x: 15, updatedAt: '2026-01-01T00:00:01.000Z' })];
    board.notes.moveBy(['a'], 5, 0);
    board.notes.heard([note('a', { x: 15, y: 0, updatedAt: '2026-01-01T00:00:01.000Z' })], []);
    board.notes.heard([note('a', { x: 99, updatedAt: '2026-01-01T00:00:02.000Z' })], []);
    await later(2_000);
    expect(shown('a')?.x).toBe(99);
  });

  it('are taken back when the peer refuses them, which is said, and cannot be undone', async () => {
    refuse = 'ROOM_LOCKED';
    board.notes.moveBy(['a'], 5, 5);
    await later(0);
    expect(shown('a')).toMatchObject({ x: 10, y: 0 });
    expect(said()).toEqual(['Your change was taken back. This room is locked.']);
    expect(board.notes.canUndo).toBe(false);
  });

  it('wait for a peer that is away', async () => {
    refuse = 'NETWORK_UNAVAILABLE';
    const id = board.notes.create({ x: 0, y: 0 });
    await later(0);
    refuse = null;
    await later(600);
    expect(sent).toHaveLength(2);
    expect(shown(id ?? '')).toBeDefined();
    expect(said()).toEqual([]);
  });

  it('are none where nothing may be changed, and it is said why', async () => {
    fixed = 'Locked, for a reason.';
    board.notes.select(['a']);
    board.notes.removeSelected();
    board.notes.moveBy(['a'], 9, 9);
    expect(board.notes.create({ x: 0, y: 0 })).toBeNull();
    expect(board.editor.start('a')).toBe(false);
    await later(10);
    expect(sent).toEqual([]);
    expect(said()).toEqual(['Locked, for a reason.']);
  });
});

describe('a snapshot that comes again', () => {
  it('takes nothing off the board before it is whole, and then what it did not bring', () => {
    board.notes.select(['a', 'b']);
    board.notes.snapshot();
    expect(board.notes.all.size).toBe(2);
    board.notes.heard([note('a')], []);
    board.notes.heard([note('c')], []);
    board.notes.complete();
    expect([...board.notes.all.keys()].sort()).toEqual(['a', 'c']);
    expect([...board.notes.selected]).toEqual(['a']);
    board.notes.complete();
    expect(board.notes.all.size).toBe(2);
  });
});

describe('what is selected', () => {
  it('is told as ids, as many as fit', async () => {
    const many = Array.from({ length: 80 }, (_, i) => note(`note-with-a-rather-long-id-${i}`));
    board.notes.heard(many, []);
    board.notes.selectAll();
    await later(100);
    const ids = told.at(-1)?.['selected'] as string[];
    expect(ids.length).toBeGreaterThan(30);
    expect(ids.length).toBeLessThan(51);
    expect(JSON.stringify(ids).length).toBeLessThan(1_300);
    board.notes.select([]);
    await later(100);
    expect(told.at(-1)?.['unset']).toEqual(['selected']);
  });
});

describe('writing in a note', () => {
  it('sends the text as it is typed, at most every 300 ms, and the rest at the end', async () => {
    board.editor.start('a');
    for (const text of ['Plan B!', 'Plan B!!', 'Plan B!!!']) {
      board.editor.input(text);
      await later(50);
    }
    expect(sent.map(({ set }) => set?.[0]?.text)).toEqual(['Plan B!']);
    await later(300);
    expect(sent.at(-1)?.set).toEqual([{ id: 'a', text: 'Plan B!!!' }]);
    board.editor.input('Plan C');
    board.editor.end();
    await later(0);
    expect(sent.at(-1)?.set).toEqual([{ id: 'a', text: 'Plan C' }]);
    await later(50);
    expect(told.at(-1)?.['unset']).toContain('editing');
    // All of it is one doing.
    board.notes.heard([note('a', { text: 'Plan C', x: 10 })], []);
    board.notes.undo();
    expect(shown('a')?.text).toBe('Plan B');
  });

  it('is not begun where somebody else writes, until they stop, are stale, or leave', () => {
    writes('u_other', joined(1));
    expect(board.editor.start('a')).toBe(false);
    expect(said()).toEqual(['other is editing this note']);
    writes('u_other', joined(1), 'a', 'stale');
    expect(board.editor.start('a')).toBe(true);
    board.editor.end();
    writes('u_other', joined(1));
    expect(board.editor.start('a')).toBe(false);
    board.hear(key('u_other'), null, []);
    expect(board.editor.start('a')).toBe(true);
  });

  it('goes on when somebody later began at the same moment, and ends when it was somebody earlier', () => {
    board.editor.start('a');
    writes('u_other', joined(7));
    expect(board.editor.note).toBe('a');
    board.hear(key('u_other'), null, []);
    writes('u_other', joined(1));
    expect(board.editor.note).toBeNull();
    expect(said()).toEqual(['other is editing this note']);
  });

  it('ends when it rested for ten seconds and somebody else began, whoever came first', async () => {
    board.editor.start('a');
    await later(10_500);
    expect(board.editor.note).toBe('a');
    writes('u_other', joined(7));
    expect(board.editor.note).toBeNull();
  });

  it('is told when the note is deleted, and can put it back', async () => {
    board.editor.start('a');
    board.editor.input('Plan B and more');
    await later(400);
    board.notes.heard([note('a', { text: 'Plan B and more', x: 10 })], []);
    board.notes.heard([], ['a']);
    expect(board.editor.note).toBeNull();
    passing.shown[0]?.action?.run();
    expect(shown('a')).toMatchObject({ text: 'Plan B and more', x: 10 });
  });

  it('takes a text that a tool wrote meanwhile, unless something typed is on its way', () => {
    board.editor.start('a');
    board.notes.heard([note('a', { text: 'By a tool' })], []);
    expect(board.editor.text).toBe('By a tool');
    board.editor.input('By a tool, and me');
    board.notes.heard([note('a', { text: 'Again' })], []);
    expect(board.editor.text).toBe('By a tool, and me');
  });
});

describe('a note in somebody else’s hand', () => {
  const moves = (dx: number | null) =>
    board.hear(
      key('u_other'),
      member('u_other', joined(1), { selected: ['a'], ...(dx === null ? {} : { moving: { dx, dy: 0 } }) }),
      ['selected', 'moving'],
    );

  it('is on its way before it is written, waits for what is written, and goes back when nothing is', async () => {
    const motion = new NoteMotion(() => board.notes.all, board.company);
    const at = () => motion.placeOf(shown('a') as Note).x;
    moves(50);
    expect(at()).toBe(60);
    moves(90);
    expect(at()).toBe(100);
    moves(null);
    expect(at()).toBe(100);
    board.notes.heard([note('a', { x: 100 })], []);
    expect(at()).toBe(100);

    moves(30);
    expect(at()).toBe(130);
    // What they wrote may come before the word that they let go.
    board.notes.heard([note('a', { x: 130 })], []);
    expect(at()).toBe(130);
    moves(null);
    expect(at()).toBe(130);
    moves(20);
    expect(at()).toBe(150);
    moves(null);
    expect(at()).toBe(150);
    await later(1_000);
    expect(at()).toBe(130);
    motion.close();
  });

  it('is where the own hand has it, while both drag', () => {
    const motion = new NoteMotion(() => board.notes.all, board.company);
    moves(50);
    motion.drag(new Set(['a']), { x: -5, y: 1 });
    expect(motion.placeOf(shown('a') as Note)).toMatchObject({ x: 5, y: 1 });
    motion.close();
  });
});
