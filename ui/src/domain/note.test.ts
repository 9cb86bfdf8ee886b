import type { Note } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { copiedJson, copiedText, pastedNotes } from './note-clipboard';
import { noteColour } from './note-colour';
import { blankNote } from './note-drafts';
import { gridAround, notesIn, placeOf, readingOrder, resized, restacked, topmost, worthFitting } from './note-geometry';
import { holderOf, letsGo, type Editor } from './note-lease';
import { fitting, shownOffset, shownText, textSize, titleOf } from './note-text';
import { bytesOf } from './bytes';
import { editingOf, movingOf, selectedOf } from './seen';

const note = (id: string, fields: Partial<Note> = {}): Note => ({ ...blankNote(id, 'u_a'), ...fields });
const ids = (notes: readonly Note[]) => notes.map(({ id }) => id).join('');

describe('the colour of a note', () => {
  it('is one of ours, a value that was checked, or grey', () => {
    expect(noteColour('violet')).toEqual({ paper: 'violet', value: null });
    expect(noteColour('#FFEE00')).toEqual({ paper: null, value: '#ffee00', ink: 'dark' });
    expect(noteColour('#101040')).toMatchObject({ ink: 'light' });
    for (const odd of ['red;background:url(//x)', 'var(--text)', '#fff', '#12345g', 'constructor', '', 7, null, '#1234567'])
      expect(noteColour(odd)).toEqual({ paper: 'grey', value: null });
  });
});

describe('where notes are', () => {
  it('is a place on the board, whatever is written', () => {
    expect(placeOf({ x: 1e300, y: -Infinity, w: 1e9, h: 0 })).toEqual({ x: 1e6, y: 0, w: 1_600, h: 30 });
    expect(placeOf({ x: Number.NaN, y: 2, w: Number.NaN, h: 90 })).toEqual({ x: 0, y: 2, w: 40, h: 90 });
  });

  it('those that touch the view are shown, and no other', () => {
    const all = [note('a', { x: -200 }), note('b', { x: -201 }), note('c', { x: 100, y: 100 }), note('d', { y: 601 })];
    expect(ids(notesIn(all, { x: 0, y: 0, w: 800, h: 600 }))).toBe('ac');
  });

  it('is read in rows, from the left', () => {
    const all = [note('d', { x: 10, y: 200 }), note('b', { x: 300, y: 10 }), note('a', { x: 0, y: 40 }), note('c', { x: 600, y: 0 })];
    expect(ids(readingOrder(all))).toBe('abcd');
    expect(ids(readingOrder([]))).toBe('');
  });

  it('brings to the front and sends to the back, and keeps the order among them', () => {
    const all = [note('a', { z: 5 }), note('b', { z: 1 }), note('c', { z: 1.5 }), note('d', { z: 9 })];
    expect(restacked(all, new Set(['a', 'b']), 'front')).toEqual([{ id: 'b', z: 10 }, { id: 'a', z: 11 }]);
    expect(restacked(all, new Set(['d', 'a']), 'back')).toEqual([{ id: 'a', z: -1 }, { id: 'd', z: 0 }]);
    expect(restacked(all, new Set('abcd'), 'front')).toEqual([]);
    expect(topmost(all)).toBe(10);
    expect(topmost([note('x', { z: Number.POSITIVE_INFINITY })])).toBe(1);
  });

  it('is a grid in the shape of the view for notes that come together', () => {
    const spots = gridAround(6, { x: 0, y: 0 }, { w: 1200, h: 700 });
    expect(new Set(spots.map(({ x, y }) => `${x} ${y}`)).size).toBe(6);
    expect(spots[0]).toEqual({ x: -324, y: -162 });
    expect(gridAround(1, { x: 10, y: 10 }, { w: 100, h: 100 })).toEqual([{ x: -90, y: -65 }]);
  });

  it('one at the end of the world does not hide the others', () => {
    const near = [0, 300, 600].map((x) => ({ x, y: 0, w: 200, h: 150 }));
    expect(worthFitting([...near, { x: 9e5, y: 0, w: 200, h: 150 }], { w: 800, h: 600 })).toEqual(near);
    expect(worthFitting(near, { w: 800, h: 600 })).toEqual(near);
  });

  it('has a least and a greatest size, and a shape that can be kept', () => {
    const place = { x: 0, y: 0, w: 200, h: 100 };
    expect(resized(place, { x: 10, y: -50 }, false)).toEqual({ w: 80, h: 60 });
    expect(resized(place, { x: 300, y: 100 }, true)).toEqual({ w: 300, h: 150 });
    expect(resized(place, { x: 9e9, y: 9e9 }, false)).toEqual({ w: 1_600, h: 1_600 });
  });
});

describe('the text of a note', () => {
  it('is shown as text that stays in its place', () => {
    expect(shownText('\u202eback\u2066 to <b>front</b>')).toBe('back to <b>front</b>');
    expect(shownText(`a${'\u0301'.repeat(10_000)}b`)).toHaveLength(6);
    expect(shownText('a\r\nb\u2028c')).toBe('a\nb\nc');
    expect(shownText(undefined)).toBe('');
  });

  it('has its carets where they are seen', () => {
    const text = 'a\u202eb\r\nc';
    expect(shownText(text)).toBe('ab\nc');
    expect([0, 1, 3, 5, 6, 99, -4].map((at) => shownOffset(text, at))).toEqual([0, 1, 2, 3, 4, 4, 0]);
  });

  it('is cut between letters at 4 KiB', () => {
    expect(fitting('x'.repeat(4_096))).toHaveLength(4_096);
    const cut = fitting('ä€😀'.repeat(1_000));
    expect(bytesOf(cut)).toBeLessThanOrEqual(4_096);
    expect(bytesOf(cut)).toBeGreaterThan(4_090);
    expect(cut.endsWith('\ud83d')).toBe(false);
  });

  it('has a first line for a name', () => {
    expect(titleOf('\n  \u200b\nPlan B\nmore')).toBe('Plan B');
    expect(titleOf('\n')).toBeNull();
  });

  it('is as large as it fits', () => {
    expect(textSize('Breaker 7', 200, 150)).toBe('large');
    expect(textSize('word '.repeat(20), 200, 150)).toBe('normal');
    expect(textSize('word '.repeat(200), 200, 150)).toBe('small');
    expect(textSize('Donaudampfschifffahrt', 200, 150)).not.toBe('large');
  });
});

describe('what others do to notes, as presence says it', () => {
  it('is read field by field, and nonsense is nothing', () => {
    expect(selectedOf({ selected: ['a', 7, null, 'b', 'x'.repeat(65)] })).toEqual(['a', 'b']);
    expect(selectedOf({ selected: Array.from({ length: 90 }, (_, i) => `n${i}`) })).toHaveLength(50);
    expect(selectedOf({ selected: 'all' })).toEqual([]);
    expect(movingOf({ moving: { dx: 4, dy: -2 } })).toEqual({ x: 4, y: -2 });
    expect(movingOf({ moving: { dx: 1e300, dy: 0 } })).toBeNull();
    expect(editingOf({ editing: { note: 'a', from: 9, to: 4 } })).toEqual({ note: 'a', from: 4, to: 9 });
    expect(editingOf({ editing: { note: 'a', from: -3 } })).toEqual({ note: 'a', from: 0, to: 0 });
    expect(editingOf({ editing: { note: { toString: 1 } } })).toBeNull();
  });
});

describe('the lease on a note', () => {
  const editor = (memberId: string, joinedAt: string, on = 'a'): Editor => ({
    ...{ key: memberId, memberId, userId: memberId, joinedAt, note: on, from: 0, to: 0 },
  });
  const early = editor('u_z', '2026-01-01T10:00:00.000Z');
  const late = editor('u_a', '2026-01-01T11:00:00.000Z');
  const twin = editor('u_b', '2026-01-01T11:00:00.000Z');

  it('is had by who came first of those who say they have it', () => {
    expect(holderOf('a', [late, early, twin])).toBe(early);
    expect(holderOf('a', [twin, late])).toBe(late);
    expect(holderOf('b', [early])).toBeNull();
  });

  it('makes exactly one of two let go', () => {
    for (const [one, other] of [[early, late], [late, twin], [early, twin]] as const) {
      expect(letsGo(one, other)).toBe(false);
      expect(letsGo(other, one)).toBe(true);
    }
  });
});

describe('notes on the clipboard', () => {
  const all = [note('b', { x: 300, y: 40, text: 'two', z: 1, color: '#123456' }), note('a', { x: 20, y: 40, text: 'one', color: 'pink' })];

  it('are texts for others and everything for a board', () => {
    expect(copiedText(all)).toBe('one\n\ntwo');
    const back = pastedNotes(copiedJson(all), copiedText(all));
    expect(back).toEqual([
      { x: 0, y: 0, w: 200, h: 150, color: 'pink', text: 'one' },
      { x: 280, y: 0, w: 200, h: 150, color: '#123456', text: 'two' },
    ]);
    expect(pastedNotes('', copiedJson(all))).toEqual(back);
  });

  it('any other text is a note, and nonsense of ours is text too', () => {
    expect(pastedNotes('', ' hello\nworld ')).toMatchObject([{ text: 'hello\nworld', color: 'yellow' }]);
    expect(pastedNotes('', '  \n ')).toEqual([]);
    expect(pastedNotes('', '{"parlor":"notes"')).toMatchObject([{ text: '{"parlor":"notes"' }]);
    expect(pastedNotes('{"parlor":"notes","notes":[{"x":"far","w":-4,"color":"url(x)","text":7},3]}', '')).toEqual([
      { x: 0, y: 0, w: 40, h: 150, color: 'grey', text: '' },
    ]);
  });
});
