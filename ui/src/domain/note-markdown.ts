/**
 * Notes as Markdown and back. A board is a list, one item a note, in the order that people read; of a text from elsewhere
 * every list item, paragraph and heading becomes a note. What is written here is read back letter by letter.
 */
import type { Note } from 'parlor-client';
import { readingOrder } from './note-geometry';
import { fitting, shownText } from './note-text';

/** What Markdown would take for the beginning of something. */
const MARK = /^(\\*)([-+*>#~`|]|\d{1,9}[.)])/;
const ITEM = /^( {0,3})([-+*]|\d{1,9}[.)])(?: +|$)(.*)$/;
const HEADING = /^ {0,3}(#{1,6})(?: +|$)(.*?)(?: +#+)? *$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;

export function toMarkdown(notes: Iterable<Note>, title: string | null): string {
  const items = readingOrder(notes)
    .map(({ text }) => shownText(text).trim())
    .filter((text) => text !== '')
    .map((text) => {
      const [first = '', ...rest] = text.split('\n').map(escaped);
      return [`- ${first}`, ...rest.map((line) => (line === '' ? '' : `  ${line}`))].join('\n');
    });
  const head = title === null ? [] : [`# ${title}`, ''];
  return [...head, ...items, ''].join('\n');
}

const escaped = (line: string): string => line.trimEnd().replace(/^(\s*)/, '').replace(MARK, '\\$1$2');
const unescaped = (line: string): string => line.replace(/^\\(\\*(?:[-+*>#~`|]|\d{1,9}[.)]))/, '$1');

/** The texts of the notes that a Markdown text makes. Its first line, when it is a title, names the board and is none. */
export function fromMarkdown(text: string): string[] {
  const found: string[] = [];
  let lines: string[] | null = null;
  let inItem = false;
  let gap = false;
  const finish = () => {
    const whole = lines?.join('\n').trim() ?? '';
    if (whole !== '') found.push(fitting(whole));
    [lines, inItem, gap] = [null, false, false];
  };
  let fence: string | null = null;
  const all = text.replace(/^\ufeff/, '').split(/\r\n?|\n/);
  all.forEach((line, at) => {
    const fenced = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
    if (fence !== null) {
      if (fenced?.startsWith(fence)) fence = null;
      else lines = [...(lines ?? []), line];
      return;
    }
    if (fenced !== undefined) {
      fence = fenced;
      return;
    }
    if (line.trim() === '') {
      gap = true;
      return;
    }
    const item = RULE.test(line) ? null : ITEM.exec(line);
    const heading = HEADING.exec(line);
    if (RULE.test(line)) finish();
    else if (item !== null) {
      finish();
      lines = [unescaped(item[3] ?? '')];
      inItem = true;
    } else if (heading !== null) {
      finish();
      if (heading[1] === '#' && all.slice(0, at).every((before) => before.trim() === '')) return;
      lines = [heading[2] ?? ''];
      finish();
    } else if (gap && lines !== null && !(inItem && /^ {2,}|^\t/.test(line))) {
      finish();
      lines = [unescaped(line.trim())];
    } else {
      const nested = inItem ? /^\s+([-+*]|\d{1,9}[.)]) +(.*)$/.exec(line) : null;
      if (nested !== null) {
        // An item within an item is an idea of its own.
        finish();
        lines = [unescaped(nested[2] ?? '')];
        inItem = true;
        return;
      }
      lines = [...(lines ?? []), ...(gap && lines !== null ? [''] : []), unescaped(line.trim())];
      gap = false;
    }
  });
  finish();
  return found;
}
