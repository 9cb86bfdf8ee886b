import { describe, expect, it } from 'vitest';
import { headOf, rowsOfHex } from './hex';

const plain = { hex: '0102' + '48617264656e21'.repeat(2), leftOut: 0, sealed: false, seq: 7 };
/** Version, kind, the counter 258, and what the seal covers. */
const sealed = { hex: '0101' + '0201000000000000' + 'ff'.repeat(1_014), leftOut: 300, sealed: true };

describe('the bytes of a frame', () => {
  it('stand in rows of eight, with what can be read of them', () => {
    const rows = rowsOfHex(plain);
    expect(rows.map(({ at, text }) => [at, text])).toEqual([[0, '··Harden'], [8, '!Harden!']]);
    expect(rows[0]?.bytes.map(({ text }) => text).join(' ')).toBe('01 02 48 61 72 64 65 6e');
    expect(rows[0]?.bytes.map(({ part }) => part)).toEqual(['version', 'kind', ...Array(6).fill('body')]);
  });

  it('begin with a head that says what it is', () => {
    expect(headOf(plain, 'beat')).toEqual([
      { name: 'version', bytes: [0, 1], value: '1' },
      { name: 'kind', bytes: [1, 1], value: '2 beat' },
      { name: 'seq', bytes: [2, 0], value: '7' },
      { name: 'body', bytes: [2, 14], value: '' },
    ]);
  });

  it('of a private room are as they were sealed, with the number of the seal alone', () => {
    const fields = headOf(sealed, 'delta');
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['version', '1'],
      ['kind', '1 delta'],
      ['seal', '258'],
      ['body', ''],
    ]);
    expect(fields.at(-1)?.bytes).toEqual([10, 1_314]);
    expect(rowsOfHex(sealed)[1]?.bytes.map(({ part }) => part)).toEqual(['seal', 'seal', ...Array(6).fill('body')]);
  });

  it('may be few', () => {
    expect(headOf({ hex: '', leftOut: 0, sealed: false }, 'unknown')).toEqual([]);
    expect(rowsOfHex({ hex: '01', leftOut: 0, sealed: true })).toHaveLength(1);
  });
});
