/** The phase of the connection bar, kept by timers: it changes also when nothing is heard. */
import { heard, isWell, nextPhaseIn, phaseOf, type Phase, type Trouble } from '../domain/connection';

export class ConnectionState {
  phase = $state<Phase>('quiet');
  /** Others in the room, and how many of them are heard. */
  all = $state(0);
  reached = $state(0);
  /** False while this peer's own network is out, and what it shows may be old. */
  complete = $state(true);
  /** What is wrong while something is: the way to the peer, the peer's network, or nobody heard. */
  why = $state<'peer' | 'network' | 'people'>('people');
  #link = true;
  #answers = true;
  #active = 0;
  #trouble: Trouble = { since: null, backAt: null };
  #timer: ReturnType<typeof setTimeout> | undefined;

  linked(up: boolean): void {
    this.#link = up;
    this.#judge();
  }

  /** Whether the peer answers what it is asked. */
  answers(answers: boolean): void {
    if (answers === this.#answers) return;
    this.#answers = answers;
    this.#judge();
  }

  people(all: number, active: number, complete: boolean): void {
    this.all = all;
    this.#active = active;
    this.complete = complete;
    this.#judge();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #judge(): void {
    const now = performance.now();
    const peer = this.#link && this.#answers;
    this.reached = peer ? this.#active : 0;
    const well = isWell(peer, this.complete, this.all, this.reached);
    if (!well) this.why = !peer ? 'peer' : !this.complete ? 'network' : 'people';
    this.#trouble = heard(this.#trouble, well, now);
    this.phase = phaseOf(this.#trouble, now);
    clearTimeout(this.#timer);
    const wait = nextPhaseIn(this.#trouble, now);
    if (wait !== null) this.#timer = setTimeout(() => this.#judge(), wait + 1);
  }
}
