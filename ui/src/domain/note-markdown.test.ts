import type { Note } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { blankNote } from './note-drafts';
import { fromMarkdown, toMarkdown } from './note-markdown';

const notes = (...texts: string[]): Note[] =>
  texts.map((text, i) => ({ ...blankNote(`n${i}`, 'u_a'), x: i * 300, text }));

describe('a board as Markdown', () => {
  it('is a list under the name of the room', () => {
    expect(toMarkdown(notes('First', 'Two\nlines', ' '), 'Harbour')).toBe('# Harbour\n\n- First\n- Two\n  lines\n');
    expect(toMarkdown([], null)).toBe('');
  });

  it('comes back letter by letter', () => {
    const texts = [
      'Plain',
      'Two\nlines',
      'A gap\n\nbetween',
      '- looks like a list',
      '# not a heading',
      '1. and 2) numbers',
      '\\- with a backslash',
      'one\n- two\n# three',
      '```\ncode',
      '> quoted | table',
      '<b>bold</b> & more',
    ];
    expect(fromMarkdown(toMarkdown(notes(...texts), 'Harbour'))).toEqual(texts);
  });
});

describe('notes of a text from elsewhere', () => {
  it('are its items, paragraphs and headings', () => {
    const text = '# Plan\n\nA paragraph\nof two lines.\n\n## Part\n* one\n+ two\n  goes on\n1. three\n   - nested\n\nLast.\n---\nAfter';
    expect(fromMarkdown(text)).toEqual([
      'A paragraph\nof two lines.',
      'Part',
      'one',
      'two\ngoes on',
      'three',
      'nested',
      'Last.',
      'After',
    ]);
  });

  it('keep what stands in a fence, and are none of an empty text', () => {
    expect(fromMarkdown('```js\n- not an item\n\n# nor a heading\n```\n\nend')).toEqual(['- not an item\n\n# nor a heading', 'end']);
    expect(fromMarkdown('')).toEqual([]);
    expect(fromMarkdown('- \n\n***\n')).toEqual([]);
    expect(fromMarkdown('\ufeffa\r\n\r\nb')).toEqual(['a', 'b']);
  });
});
