// What the benches of the interface share: figures with what they must reach, as a table and as a file.

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';

export class Figures {
  #all = [];

  /** A figure that may be so much at most. */
  add(name, parlor, unit, most) {
    this.#all.push({ name, parlor, peers: {}, unit, ratio: null, target: most, holds: parlor <= most, stretch: null });
  }

  /** Prints the table and writes it into the folder; the process ends with 1 when something was not reached. */
  async publish(folder, file) {
    const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '' };
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, file), JSON.stringify({ machine, figures: this.#all }, null, 2));
    for (const { name, parlor, unit, target, holds } of this.#all) {
      const shown = parlor.toFixed(Math.abs(parlor) < 10 ? 2 : 0).padStart(8);
      console.log(`${holds ? '✓' : '✗'} ${name.padEnd(62)} ${shown} ${unit} (at most ${target})`);
    }
    process.exitCode = this.#all.every(({ holds }) => holds) ? 0 : 1;
  }
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
