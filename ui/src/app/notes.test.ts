import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Notes } from './notes.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Notes', () => {
  const shown = (notes: Notes) => notes.shown.map(({ text }) => text);

  it('are three at most, and each goes by itself', () => {
    const notes = new Notes();
    for (const text of ['a', 'b', 'c', 'd']) notes.show(text);
    expect(shown(notes)).toEqual(['b', 'c', 'd']);
    notes.show('e', { label: 'Undo', run: () => {} });
    vi.advanceTimersByTime(5_000);
    expect(shown(notes)).toEqual(['e']);
    vi.advanceTimersByTime(5_000);
    expect(shown(notes)).toEqual([]);
  });

  it('take the place of the same words, and of others about the same', () => {
    const notes = new Notes();
    notes.show('A locked this room', null, 'locked');
    notes.show('A renamed this room', null, 'title');
    notes.show('A unlocked this room', null, 'locked');
    notes.show('A renamed this room', null, 'title');
    expect(shown(notes)).toEqual(['A unlocked this room', 'A renamed this room']);
    notes.show('Copied');
    notes.show('Copied');
    expect(shown(notes)).toEqual(['A unlocked this room', 'A renamed this room', 'Copied']);
  });

  it('tells screen readers one message in three seconds, with all that was to be told', () => {
    const notes = new Notes();
    notes.say('Ada joined');
    vi.advanceTimersByTime(60);
    expect(notes.said).toBe('Ada joined');
    notes.say('Bo joined');
    notes.say('The room is locked');
    notes.say('Bo joined');
    vi.advanceTimersByTime(2_800);
    expect(notes.said).toBe('Ada joined');
    vi.advanceTimersByTime(200);
    expect(notes.said).toBe('Bo joined. The room is locked');
  });
});
