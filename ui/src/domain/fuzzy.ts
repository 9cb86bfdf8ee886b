/**
 * Finds by what somebody types of a name: all its letters in their order, the more together and the nearer to the
 * beginning of words the better. Marks on letters do not matter, so "flussig" finds "flüssig".
 */
export interface Found {
  readonly score: number;
  /** Places of the letters that were found, for showing them. */
  readonly places: readonly number[];
}

const NOTHING: Found = { score: 0, places: [] };
const AT_WORD = 8;
const AT_START = 4;
const TOGETHER = 6;
const GAP = 0.4;
/** All of it in one piece is what was meant. */
const WHOLE = 6;

/** How well `text` has what was typed, or null when it has not. Nothing typed finds everything alike. */
export function fuzzy(typed: string, text: string): Found | null {
  const wanted = [...plain(typed)].filter((letter) => letter.trim() !== '');
  if (wanted.length === 0) return NOTHING;
  const letters = [...text].map(plain);
  let best: Found | null = null;
  // Each place where it may begin; a text of the interface is short.
  for (let start = 0; start < letters.length; start++) {
    if (letters[start] !== wanted[0]) continue;
    const found = from(start, wanted, letters);
    if (found !== null && (best === null || found.score > best.score)) best = found;
  }
  return best;
}

function from(start: number, wanted: readonly string[], letters: readonly string[]): Found | null {
  const places: number[] = [];
  let score = 0;
  let at = start;
  for (const letter of wanted) {
    const next = better(letter, at, letters, places.length > 0);
    if (next < 0) return null;
    const last = places.at(-1);
    if (last !== undefined && next === last + 1) score += TOGETHER;
    else if (beginsWord(letters, next)) score += AT_WORD;
    if (last !== undefined) score -= GAP * (next - last - 1);
    if (next === 0) score += AT_START;
    places.push(next);
    at = next + 1;
  }
  if (places.length > 1 && at - start === places.length) score += WHOLE;
  // Of two that have it alike, the shorter is nearer to what was meant.
  return { score: score - letters.length * 0.02, places };
}

/** The letter here if it goes on, else where a word begins with it, else wherever it comes next. */
function better(letter: string, at: number, letters: readonly string[], going: boolean): number {
  if (letters[at] === letter) return at;
  if (going) {
    const word = letters.findIndex((other, place) => place > at && other === letter && beginsWord(letters, place));
    if (word >= 0) return word;
  }
  return letters.indexOf(letter, at);
}

const beginsWord = (letters: readonly string[], at: number): boolean =>
  at === 0 || !/[\p{L}\p{N}]/u.test(letters[at - 1] ?? '');

/** Small, and without marks. */
const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
