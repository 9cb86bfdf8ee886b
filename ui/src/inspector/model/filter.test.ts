import { describe, expect, it } from 'vitest';
import { filterOf } from './filter';

interface Row {
  readonly peer: string;
  readonly key: string;
  readonly bytes: number | null;
}

const ROWS: readonly Row[] = [
  { peer: 'Quiet Otter 1a2b', key: 'title', bytes: 124 },
  { peer: 'Brisk Heron 9f8e', key: 'cursor, tool', bytes: 26 },
  { peer: 'everybody', key: '/ip4/127.0.0.1/tcp/4747 at 12:30:01', bytes: null },
];
const COLUMNS = [
  { id: 'peer', find: (row: Row) => row.peer },
  { id: 'key', find: (row: Row) => row.key },
  { id: 'bytes', find: (row: Row) => `${row.bytes} B`, number: (row: Row) => row.bytes },
];

const places = (text: string) => {
  const filter = filterOf(text, COLUMNS);
  return ROWS.flatMap((row, place) => (filter.matches(row) ? [place] : []));
};

describe('a filter', () => {
  it.each([
    ['', [0, 1, 2]],
    ['   ', [0, 1, 2]],
    ['OTTER', [0]],
    ['peer:heron', [1]],
    ['peer:heron peer:otter', [0, 1]],
    ['peer:otter key:cursor', []],
    ['-peer:everybody', [0, 1]],
    ['-otter -heron', [2]],
    ['"quiet otter"', [0]],
    ['peer:"brisk heron"', [1]],
    ['peer:"brisk', [1]],
    ['bytes:>26', [0]],
    ['bytes:>=26', [0, 1]],
    ['bytes:<100', [1]],
    ['-bytes:>100', [1, 2]],
    ['peer:', [0, 1, 2]],
  ])('%s leaves %j', (text, left) => expect(places(text)).toEqual(left));

  it('says which fields there are none of, and takes an address or a time as words', () => {
    expect(filterOf('colour:red peer:a', COLUMNS).unknown).toEqual(['colour']);
    expect(places('colour:red')).toEqual([]);
    expect(places('12:30:01')).toEqual([2]);
    expect(places('/ip4/127.0.0.1')).toEqual([2]);
  });

  it('knows when it is none', () => {
    expect(filterOf(' ', COLUMNS).empty).toBe(true);
    expect(filterOf('-x', COLUMNS).empty).toBe(false);
  });
});
