import type { BoardChange, Note } from 'parlor-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { blankNote, fieldsOf, NoteDrafts } from './note-drafts';
import { NoteHistory, type Step } from './note-history';
import { NoteQueue } from './note-queue';

const note = (id: string, fields: Partial<Note> = {}): Note => ({ ...blankNote(id, 'u_b'), ...fields });

describe('own writes that the feed has not shown', () => {
  it('are seen at once, and older states do not flicker in between', () => {
    const drafts = new NoteDrafts(() => 'u_me');
    const known = note('a', { text: '', x: 5 });
    drafts.set({ id: 'a', text: 'h' }, 1, known);
    drafts.set({ id: 'a', text: 'he' }, 2, known);
    expect(drafts.over('a', known)).toMatchObject({ text: 'he', x: 5, updatedBy: 'u_me' });
    // The feed is at the first write.
    drafts.heard('a', note('a', { text: 'h' }));
    expect(drafts.over('a', note('a', { text: 'h' }))?.text).toBe('he');
    drafts.heard('a', note('a', { text: 'he' }));
    expect(drafts.has('a')).toBe(false);
    expect(drafts.over('a', note('a', { text: 'theirs' }))?.text).toBe('theirs');
  });

  it('what somebody changes beside them stays theirs', () => {
    const drafts = new NoteDrafts(() => 'u_me');
    drafts.set({ id: 'a', x: 40 }, 1, note('a'));
    expect(drafts.over('a', note('a', { color: 'blue' }))).toMatchObject({ x: 40, color: 'blue' });
  });

  it('a note that is removed is gone, and a write to a removed one has the rest of it', () => {
    const drafts = new NoteDrafts(() => 'u_me');
    drafts.remove('a', 1, note('a'));
    expect(drafts.over('a', note('a'))).toBeNull();
    drafts.set({ id: 'b', x: 9 }, 2, note('b', { text: 'kept', color: 'red' }));
    expect(drafts.over('b', undefined)).toMatchObject({ x: 9, text: 'kept', color: 'red' });
  });

  it('go with the write that was refused, and only with it', () => {
    const drafts = new NoteDrafts(() => 'u_me');
    drafts.set({ id: 'a', x: 1, color: 'red' }, 1, note('a'));
    drafts.set({ id: 'a', x: 2 }, 2, note('a'));
    expect(drafts.drop(1)).toEqual(['a']);
    expect(drafts.over('a', note('a', { color: 'blue' }))).toMatchObject({ x: 2, color: 'blue' });
    drafts.remove('a', 3, note('a'));
    expect(drafts.drop(3)).toEqual(['a']);
    expect(drafts.over('a', note('a'))).not.toBeNull();
  });
});

describe('own writes on their way', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function queue(fails: (change: BoardChange) => unknown = () => null) {
    const sent: BoardChange[] = [];
    const told: string[] = [];
    let open: (() => void)[] = [];
    const of = new NoteQueue({
      send: (change) => {
        sent.push(change);
        return new Promise((resolve, reject) => {
          open.push(() => {
            const cause = fails(change);
            if (cause === null) resolve(null);
            else reject(cause);
          });
        });
      },
      answered: (write) => told.push(`answered ${write}`),
      refused: (write) => told.push(`refused ${write}`),
      passes: (cause) => cause === 'away',
    });
    const answer = async () => {
      const waiting = open;
      open = [];
      waiting.forEach((run) => run());
      await vi.advanceTimersByTimeAsync(0);
    };
    return { of, sent, told, answer };
  }

  it('go one at a time, and waiting ones of a kind become one', async () => {
    const { of, sent, told, answer } = queue();
    of.push(1, { set: [{ id: 'a', text: 'h' }] }, 'text a');
    of.push(2, { set: [{ id: 'a', text: 'he' }] }, 'text a');
    of.push(3, { set: [{ id: 'a', text: 'hey' }] }, 'text a');
    of.push(4, { remove: ['b'] });
    expect(sent).toHaveLength(1);
    await answer();
    expect(sent[1]).toEqual({ set: [{ id: 'a', text: 'hey' }], remove: [] });
    await answer();
    expect(sent[2]).toEqual({ set: [], remove: ['b'] });
    await answer();
    expect(told.filter((line) => line !== 'answered 2')).toEqual(['answered 1', 'answered 3', 'answered 4']);
    expect(of.idle).toBe(true);
  });

  it('are tried again while the peer is away, and told once when it refuses', async () => {
    let cause: string | null = 'away';
    const { of, sent, told, answer } = queue(() => cause);
    of.push(1, { remove: ['a'] });
    await answer();
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(600);
    expect(sent).toHaveLength(2);
    cause = 'locked';
    of.push(2, { remove: ['b'] });
    await answer();
    expect(told).toEqual(['refused 1']);
    cause = null;
    await answer();
    expect(told).toEqual(['refused 1', 'answered 2']);
  });

  it('of a whole board go in parts that a request holds', async () => {
    const { of, sent, told, answer } = queue();
    of.push(1, { set: Array.from({ length: 900 }, (_, i) => ({ id: `n${i}`, text: 'x'.repeat(100) })) });
    for (let i = 0; i < 10; i += 1) await answer();
    expect(sent.length).toBeGreaterThan(2);
    expect(sent.flatMap(({ set }) => set ?? [])).toHaveLength(900);
    expect(Math.max(...sent.map(({ set }) => set?.length ?? 0))).toBeLessThanOrEqual(400);
    expect(told).toEqual(['answered 1']);
  });
});

describe('undo', () => {
  const board = (...notes: Note[]) => new Map(notes.map((one) => [one.id, one]));
  const moved: Step[] = [{ id: 'a', before: { x: 0, y: 0 }, after: { x: 50, y: 60 } }];

  it('takes back the own fields, and redo does them again', () => {
    const history = new NoteHistory();
    const notes = board(note('a', { x: 50, y: 60, color: 'red' }));
    history.did(moved);
    expect(history.undo((id) => notes.get(id))).toEqual({ set: [{ id: 'a', x: 0, y: 0 }], remove: [], kept: [] });
    notes.set('a', note('a', { x: 0, y: 0 }));
    expect(history.redo((id) => notes.get(id))?.set).toEqual([{ id: 'a', x: 50, y: 60 }]);
    expect(history.undo(() => undefined)?.kept).toEqual(['a']);
    expect(history.undo(() => undefined)).toBeNull();
  });

  it('leaves what somebody changed since, and says which', () => {
    const history = new NoteHistory();
    const notes = board(note('a', { x: 50, y: 99 }));
    history.did(moved);
    expect(history.undo((id) => notes.get(id))).toEqual({ set: [{ id: 'a', x: 0 }], remove: [], kept: ['a'] });
    notes.set('a', note('a', { x: 0, y: 99 }));
    expect(history.redo((id) => notes.get(id))?.set).toEqual([{ id: 'a', x: 50 }]);
  });

  it('removes a note that was made, unless somebody wrote in it', () => {
    const made = note('a', { text: '' });
    const step: Step = { id: 'a', before: null, after: fieldsOf(made) };
    const history = new NoteHistory();
    history.did([step]);
    expect(history.undo(() => note('a', { text: 'theirs' }))).toEqual({ set: [], remove: [], kept: ['a'] });
    history.did([step]);
    expect(history.undo(() => made)?.remove).toEqual(['a']);
    expect(history.redo(() => undefined)?.set).toEqual([{ id: 'a', ...fieldsOf(made) }]);
  });

  it('brings a removed note back whole, unless it is back', () => {
    const gone = note('a', { text: 'words', color: 'blue' });
    const step: Step = { id: 'a', before: fieldsOf(gone), after: null };
    const history = new NoteHistory();
    history.did([step]);
    expect(history.undo(() => undefined)?.set).toEqual([{ id: 'a', ...fieldsOf(gone) }]);
    expect(history.redo(() => gone)?.remove).toEqual(['a']);
    history.did([step]);
    expect(history.undo(() => note('a'))?.kept).toEqual(['a']);
  });

  it('takes a run of arrow keys as one, and a new doing ends redo', () => {
    let now = 0;
    const history = new NoteHistory(() => now);
    const step = (from: number, to: number): Step[] => [{ id: 'a', before: { x: from }, after: { x: to } }];
    history.did(step(0, 8), 'arrows');
    now += 200;
    history.did(step(8, 16), 'arrows');
    now += 5_000;
    history.did(step(16, 24), 'arrows');
    expect(history.undo(() => note('a', { x: 24 }))?.set).toEqual([{ id: 'a', x: 16 }]);
    expect(history.undo(() => note('a', { x: 16 }))?.set).toEqual([{ id: 'a', x: 0 }]);
    expect(history.canRedo).toBe(true);
    history.did(step(0, 1));
    expect(history.canRedo).toBe(false);
  });

  it('forgets what the peer refused', () => {
    const history = new NoteHistory();
    history.did(moved);
    history.forget(moved);
    expect(history.canUndo).toBe(false);
  });
});
