import { describe, expect, it } from 'vitest';
import { en } from '../i18n/en';
import { initialsOf } from './initials';
import { apart, lineOf } from './line';

const marks = '\u0335\u0489\u0300\u0301\u0302\u0303'.repeat(2_000);

describe('lineOf', () => {
  it.each([
    ['plain', 'Quiet Otter', 'Quiet Otter'],
    ['markup stays what it is', '<b onclick="x()">Ada</b> &amp;', '<b onclick="x()">Ada</b> &amp;'],
    ['controls', 'A\u0000d\u001ba\u007f\u0085!', 'A d a !'],
    ['line ends', 'one\r\ntwo\u2028three\u2029four', 'one two three four'],
    ['overrides and isolates', '\u202eadA\u202c \u2066b\u2069\u2067c\u2069', 'adA bc'],
    ['direction marks', '\u200fAda\u200e\u061c', 'Ada'],
    ['zero width', 'A\u200bd\u2060a\ufeff\u00ad\u034f', 'Ada'],
    ['fillers', '\u3164\uffa0Ada\u2800\u115f', 'Ada'],
    ['tags', 'Ada\u{e0041}\u{e0064}', 'Ada'],
    ['an accent', 'Zoë e\u0301', 'Zoë e\u0301'],
    ['a joined family', '👩‍❤️‍💋‍👨', '👩‍❤️‍💋‍👨'],
    ['joined letters', 'می‌خواهم', 'می‌خواهم'],
    ['a surrogate that is alone', 'a\ud800b', 'a\ud800b'],
  ])('%s', (_, text, line) => expect(lineOf(text, 48)).toBe(line));

  it.each([['', ' \t\n', '\u200b\u3164\u2800', '\u202e', marks, '\u200d\u200d', '\ufe0f']].flat())(
    'is nothing when nothing can be seen (%#)',
    (text) => expect(lineOf(text, 48)).toBeNull(),
  );

  it('is nothing for what is no text', () => {
    for (const value of [undefined, null, 1, true, {}, ['a'], { toString: () => 'a' }]) expect(lineOf(value, 48)).toBeNull();
  });

  it('leaves few marks on a letter, also when they are joined', () => {
    expect(lineOf(`a${marks}b`, 48)).toBe(`a${marks.slice(0, 4)}b`);
    expect(lineOf(`a${'\u0301\u200d'.repeat(5_000)}b`, 48)).toBe('a\u0301\u200d\u0301\u200db');
    // Hidden characters between them hold nothing together.
    expect(lineOf(`a${'\u0301\u2060'.repeat(5_000)}b`, 48)).toBe('a\u0301\u0301\u0301\u0301b');
  });

  it('has at most so many letters', () => {
    expect(lineOf('x'.repeat(49), 48)).toBe(`${'x'.repeat(47)}…`);
    expect(Array.from(lineOf('😀'.repeat(500), 48) ?? '')).toHaveLength(48);
  });
});

describe('in a sentence', () => {
  it('keeps words apart that run the other way, and no others', () => {
    expect(apart('Ada')).toBe('Ada');
    expect(apart('דנה')).toBe('\u2068דנה\u2069');
    expect(en.room.goTo('عمر')).toBe('Go to \u2068عمر\u2069');
    expect(en.typing.some(['Ada', 'דנה'])).toBe('Ada and \u2068דנה\u2069 are typing…');
  });
});

describe('initials', () => {
  it('are made of what can be seen', () => {
    expect(initialsOf('\u202e\u200bada lovelace')).toBe('AL');
    expect(initialsOf('\u3164')).toBe('?');
    expect(initialsOf(`a${marks}`)).toBe(`A${marks.slice(0, 4)}`);
  });
});
