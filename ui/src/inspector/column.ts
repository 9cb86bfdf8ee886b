/** A column of a table: how it is shown, searched, ordered and handed on. */
import { w } from './words';

export interface Column<Row> {
  /** Its name in a filter, and where it is handed on. */
  readonly id: string;
  /** Its words in the catalogue; those of `id` when missing. */
  readonly words?: string;
  /** Its share of the width, as CSS grid has it. */
  readonly width: string;
  text(row: Row): string;
  /** What a filter looks at; what is shown when missing. */
  found?(row: Row): string;
  /** What `<`, `>` and the order look at. */
  number?(row: Row): number | null;
  /** What is handed on; what is shown when missing. */
  raw?(row: Row): unknown;
  /** Shown under the pointer, when it says more. */
  more?(row: Row): string | null;
  tone?(row: Row): 'good' | 'warn' | 'bad' | 'quiet' | null;
  /** Letters of one width, as of hashes. */
  readonly code?: boolean;
}

export const wordsOf = <Row>({ id, words }: Column<Row>): readonly [title: string, hint: string] =>
  w.columns[words ?? id] ?? [id, id];

/** As a filter looks at them. */
export const searched = <Row>(columns: readonly Column<Row>[]) =>
  columns.map(({ id, text, found, number }) => ({ id, find: found ?? text, ...(number === undefined ? {} : { number }) }));

/** What is handed on of a row. */
export const objectOf = <Row>(columns: readonly Column<Row>[], row: Row): Record<string, unknown> =>
  Object.fromEntries(
    columns.map((column) => [column.id, column.raw?.(row) ?? column.number?.(row) ?? column.text(row)]),
  );

/** With tabs between columns, for a spreadsheet. */
export function tabbed<Row>(columns: readonly Column<Row>[], rows: Iterable<Row>): string {
  const plain = (text: string) => text.replace(/[\t\r\n]+/g, ' ');
  const lines = [columns.map((column) => plain(wordsOf(column)[0])).join('\t')];
  for (const row of rows) lines.push(columns.map((column) => plain(column.text(row))).join('\t'));
  return lines.join('\n');
}

/** One JSON object a line. */
export function ndjson<Row>(rows: Iterable<Row>, object: (row: Row) => unknown): string {
  let text = '';
  for (const row of rows) text += `${JSON.stringify(object(row))}\n`;
  return text;
}

/** Rows of which only some are drawn. */
export interface Rows<Row> {
  readonly length: number;
  /** The place of the first among all that there ever were. */
  readonly first: number;
  at(index: number): Row | undefined;
}

export const rowsOf = <Row>(rows: readonly Row[]): Rows<Row> => ({ length: rows.length, first: 0, at: (index) => rows[index] });
