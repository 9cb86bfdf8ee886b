/**
 * Names called in what people write: `@Quiet Otter`. A name may have spaces, so only names of people in the room or in
 * the log are found, the longest that fits. Whoever bears a called name is called. Pure.
 */
export interface Callable {
  readonly name: string;
  /** This window's person. */
  readonly me: boolean;
}

export interface Called<P extends Callable = Callable> {
  readonly person: P;
  /** What stands in the text, with its `@`. */
  readonly text: string;
}

const WORD = /[\p{L}\p{M}\p{N}_]/u;

/** The name that is called at `at`; null when none is. */
export function mentionAt<P extends Callable>(text: string, at: number, people: readonly P[]): Called<P> | null {
  if (text[at] !== '@' || (at > 0 && WORD.test(text[at - 1] ?? ''))) return null;
  let best: Called<P> | null = null;
  for (const person of people) {
    const called = text.slice(at + 1, at + 1 + person.name.length);
    if (person.name === '' || !sameWords(called, person.name)) continue;
    if (WORD.test(text[at + 1 + called.length] ?? '')) continue; // the beginning of a longer word
    const longer = best === null || called.length > best.text.length - 1;
    // Of two of one name, the one who looks at this window is called.
    if (longer || (called.length === (best?.text.length ?? 0) - 1 && person.me)) best = { person, text: `@${called}` };
  }
  return best;
}

/** Whether this window's person is called somewhere in a text. */
export function callsMe(text: string, people: readonly Callable[]): boolean {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (mentionAt(text, at, people)?.person.me === true) return true;
  }
  return false;
}

/** What is being called while it is written: the `@` before the caret, and the letters between. */
export interface Calling {
  readonly from: number;
  readonly letters: string;
}

const CALLING_LETTERS = 48;

export function callingAt(text: string, caret: number): Calling | null {
  const from = text.lastIndexOf('@', caret - 1);
  if (from < 0 || caret - from > CALLING_LETTERS) return null;
  if (from > 0 && WORD.test(text[from - 1] ?? '')) return null;
  const letters = text.slice(from + 1, caret);
  return /[\n@]|^\s/.test(letters) ? null : { from, letters };
}

/** Those whose name, or a word of it, begins with the letters; whole names first, then in the given order. */
export function matching<P extends Callable>(people: readonly P[], letters: string, most: number): readonly P[] {
  const wanted = letters.toLocaleLowerCase();
  const rank = ({ name }: P): number => {
    const low = name.toLocaleLowerCase();
    if (low.startsWith(wanted)) return 0;
    return low.split(/\s+/u).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  return people
    .filter((person) => !person.me && rank(person) < 2)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, most);
}

const sameWords = (a: string, b: string): boolean =>
  a === b || a.normalize('NFC').toLocaleLowerCase() === b.normalize('NFC').toLocaleLowerCase();
