/** What a filter leaves of the log, kept up row by row: only what is new is looked at, unless the filter is another. */
import type { Filter } from './filter';
import { Ring } from './ring';
import { ROWS, type SeenRow } from './seen-log';

export class LogView {
  readonly shown = new Ring<SeenRow>(ROWS);
  #filter: Filter<SeenRow> | null = null;
  #next = 0;
  #until = 0;

  /** While it is `held`, nothing that came since is shown. */
  show(rows: Ring<SeenRow>, filter: Filter<SeenRow>, held: boolean): void {
    if (!held) this.#until = rows.end;
    if (filter !== this.#filter) {
      this.#filter = filter;
      this.shown.clear();
      this.#next = rows.start;
    }
    for (let place = Math.max(this.#next, rows.start); place < this.#until; place++) {
      const row = rows.at(place);
      if (row !== undefined && filter.matches(row)) this.shown.push(row);
    }
    this.#next = this.#until;
  }
}
