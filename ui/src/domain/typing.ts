/**
 * Typing (ux "People"): what one says about oneself, and when. Said on the first key, refreshed at most every two
 * seconds, taken back on blur, on send or after five seconds without a key. Receivers forget it after six seconds by
 * themselves (`expire`), so a lost "stopped" does no harm.
 */
export const TYPING_EXPIRES_MS = 6_000;
const REFRESH_MS = 2_000;
const QUIET_MS = 5_000;

export class TypingSignal {
  #saidAt: number | null = null;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  /** `say(true)` is said with `expire`, `say(false)` at once. */
  constructor(
    private readonly say: (typing: boolean) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  key(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.stop(), QUIET_MS);
    const now = this.now();
    if (this.#saidAt !== null && now - this.#saidAt < REFRESH_MS) return;
    this.#saidAt = now;
    this.say(true);
  }

  /** On blur and on send. */
  stop(): void {
    clearTimeout(this.#quiet);
    if (this.#saidAt === null) return;
    this.#saidAt = null;
    this.say(false);
  }
}
