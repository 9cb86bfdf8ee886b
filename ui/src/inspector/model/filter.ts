/**
 * What is typed to see less: `peer:otter key:title -dir:out bytes:>200 "two words"`. Words must all be there; a field that
 * is named twice may be either; a minus takes away. Upper and lower case are the same.
 */

/** A column, as far as it can be searched. */
export interface Searched<Row> {
  /** Its name in a filter. */
  readonly id: string;
  find(row: Row): string;
  /** For `<` and `>`. */
  number?(row: Row): number | null;
}

export interface Filter<Row> {
  matches(row: Row): boolean;
  /** Names before a colon that no column has. */
  readonly unknown: readonly string[];
  /** Nothing is filtered. */
  readonly empty: boolean;
}

interface Term {
  readonly field: string | null;
  readonly value: string;
  readonly without: boolean;
}

const TERM = /(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/giu;

function termsOf(text: string): readonly Term[] {
  return [...text.matchAll(TERM)].flatMap(([, minus, field, quoted, word]) => {
    const value = (quoted ?? word ?? '').toLocaleLowerCase();
    return value === '' ? [] : [{ field: field?.toLowerCase() ?? null, value, without: minus === '-' }];
  });
}

const COMPARED = /^([<>]=?)(-?\d+(?:\.\d+)?)$/;

function compares(value: string): ((number: number) => boolean) | null {
  const [, sign, limit] = COMPARED.exec(value) ?? [];
  if (sign === undefined || limit === undefined) return null;
  const than = Number(limit);
  return {
    '<': (number: number) => number < than,
    '<=': (number: number) => number <= than,
    '>': (number: number) => number > than,
    '>=': (number: number) => number >= than,
  }[sign] as (number: number) => boolean;
}

export function filterOf<Row>(text: string, columns: readonly Searched<Row>[]): Filter<Row> {
  const unknown: string[] = [];
  const must: ((row: Row) => boolean)[] = [];
  const either = new Map<string, ((row: Row) => boolean)[]>();
  for (const { field, value, without } of termsOf(text)) {
    // Somebody is about to say more.
    if (field === null && columns.some(({ id }) => value === `${id}:`)) continue;
    const column = columns.find(({ id }) => id === field);
    // An address or a time has colons of its own.
    const loose = field !== null && column === undefined;
    if (loose && /^[a-z]+$/.test(field) && !value.startsWith('/')) unknown.push(field);
    const wanted = loose ? `${field}:${value}` : value;
    const compared = column?.number === undefined ? null : compares(value);
    const test = (row: Row): boolean => {
      if (compared !== null) {
        const number = column?.number?.(row) ?? null;
        return number !== null && compared(number);
      }
      if (column !== undefined) return column.find(row).toLocaleLowerCase().includes(wanted);
      return columns.some((one) => one.find(row).toLocaleLowerCase().includes(wanted));
    };
    if (without) must.push((row) => !test(row));
    else if (column === undefined) must.push(test);
    else either.set(column.id, [...(either.get(column.id) ?? []), test]);
  }
  const groups = [...either.values()];
  return {
    unknown,
    empty: must.length === 0 && groups.length === 0,
    matches: (row) => must.every((test) => test(row)) && groups.every((tests) => tests.some((test) => test(row))),
  };
}
