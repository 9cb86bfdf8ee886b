import { describe, expect, it } from 'vitest';
import { fuzzy } from './fuzzy';

const best = (typed: string, texts: readonly string[]) =>
  texts
    .map((text) => ({ text, found: fuzzy(typed, text) }))
    .filter(({ found }) => found !== null)
    .sort((a, b) => (b.found?.score ?? 0) - (a.found?.score ?? 0))
    .map(({ text }) => text);

describe('fuzzy', () => {
  it('has all letters in order, or nothing', () => {
    expect(fuzzy('zin', 'Zoom in')?.places).toEqual([0, 5, 6]);
    expect(fuzzy('inz', 'Zoom in')).toBeNull();
    expect(fuzzy('', 'Zoom in')).toEqual({ score: 0, places: [] });
  });

  it('puts words and what stands together first', () => {
    expect(best('fo', ['Leave this room for good', 'Follow Ada', 'Show no cursors of others'])[0]).toBe('Follow Ada');
    expect(best('fa', ['Follow Ada', 'Fasten the view'])[0]).toBe('Fasten the view');
    expect(best('gm', ['Go to Merry Wren', 'Regiment'])[0]).toBe('Go to Merry Wren');
    expect(best('dark', ['Theme: Dark', 'Dear Ark'])[0]).toBe('Theme: Dark');
  });

  it('takes letters with and without marks for the same', () => {
    expect(fuzzy('flussig', 'Überflüssig')).not.toBeNull();
    expect(fuzzy('ÜBER', 'überall')?.places).toEqual([0, 1, 2, 3]);
  });

  it('finds what nobody sees as code units', () => {
    expect(fuzzy('😀a', '😀 ada')?.places).toEqual([0, 2]);
  });

  it('takes time in proportion also for words that nearly fit', () => {
    const before = performance.now();
    fuzzy('a'.repeat(60), `${'a'.repeat(59)}b`.repeat(4));
    expect(performance.now() - before).toBeLessThan(200);
  });
});
