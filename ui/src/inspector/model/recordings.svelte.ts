/** Recordings that are open in the inspector: one, or two of one incident that are held against each other. */
import type { Lineup, RecordingFile, Replays } from 'parlor-client';
import { sentenceOf } from '../../app/app.svelte';
import { Opened } from './opened.svelte';

export class Recordings {
  first = $state.raw<Opened | null>(null);
  second = $state.raw<Opened | null>(null);
  lineup = $state.raw<Lineup | null>(null);
  /** Which of the two is looked at. */
  shown = $state<'first' | 'second'>('first');
  busy = $state(false);
  wrong = $state('');

  constructor(readonly replays: Replays) {}

  get open(): Opened | null {
    return this.shown === 'second' ? (this.second ?? this.first) : this.first;
  }

  /** Opens a file in the place of what is open. */
  async take(name: string, bytes: () => Promise<RecordingFile>): Promise<void> {
    await this.#busily(async () => {
      const opened = await this.#opened(name, await bytes());
      this.close();
      this.first = opened;
    });
  }

  /** Holds another file against the one that is open. */
  async compare(name: string, bytes: () => Promise<RecordingFile>): Promise<void> {
    const { first } = this;
    if (first === null) return this.take(name, bytes);
    await this.#busily(async () => {
      const second = await this.#opened(name, await bytes());
      const lineup = await this.replays.replayLineup(first.file, second.file);
      this.second?.close();
      [this.second, this.lineup] = [second, lineup];
      this.#toDisagreement(lineup);
    });
  }

  close(): void {
    this.first?.close();
    this.second?.close();
    [this.first, this.second, this.lineup, this.shown, this.wrong] = [null, null, null, 'first', ''];
  }

  /** Both stand where they came apart. */
  #toDisagreement({ disagreement }: Lineup): void {
    const [first, second] = disagreement?.since ?? [null, null];
    if (first !== null) this.first?.go(first.step);
    if (second !== null) this.second?.go(second.step);
    this.shown = first === null && second !== null ? 'second' : 'first';
  }

  #opened(name: string, file: RecordingFile): Promise<Opened> {
    return Opened.of(name, file, this.replays, (cause) => (this.wrong = sentenceOf(cause)));
  }

  async #busily(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    [this.busy, this.wrong] = [true, ''];
    try {
      await work();
    } catch (cause) {
      this.wrong = sentenceOf(cause);
    } finally {
      this.busy = false;
    }
  }
}
