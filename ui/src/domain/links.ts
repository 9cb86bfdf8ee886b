/**
 * Web addresses in what people write. Only `http` and `https`, only where an address begins a word, and shown as the
 * browser itself would write it: the host in plain ASCII, so that letters that look like others, or run the other way,
 * cannot pass for another place. Pure.
 */
export interface Link {
  /** Where it leads, in ASCII. */
  readonly address: string;
  /** The host, and the port when it is not the usual one. */
  readonly host: string;
  /** What stands before and after the host when it is shown. */
  readonly before: string;
  readonly after: string;
  /** How much of the text it takes. */
  readonly length: number;
}

const BEGINS = /https?:\/\//iy;
/** Up to whatever cannot stand in an address: spaces, quotes, brackets that enclose one, unseen and turning characters. */
const RUN = /[^\s<>"'`{}|\\^\p{Cc}\p{Cf}\p{Co}\p{Z}]+/uy;
/** What ends a sentence ends the address before it. */
const AFTER_IT = /[.,;:!?…*_~'"”’»]$/u;
const LONGEST = 2_048;
const SHOWN_AFTER = 48;

/** The address that begins at `at`; null when none does. */
export function linkAt(text: string, at: number): Link | null {
  const letter = text[at];
  if (letter !== 'h' && letter !== 'H') return null;
  if (at > 0 && /[\p{L}\p{N}_]/u.test(text[at - 1] ?? '')) return null;
  BEGINS.lastIndex = at;
  if (!BEGINS.test(text)) return null;
  RUN.lastIndex = at;
  const run = trimmed(RUN.exec(text)?.[0] ?? '');
  if (run.length > LONGEST || !URL.canParse(run)) return null;
  const url = new URL(run);
  // A name before the host is there to look like the host.
  if (!['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') return null;
  if (!/^[\x21-\x7e]+$/.test(url.href)) return null;
  const rest = `${url.pathname}${url.search}${url.hash}`;
  return {
    address: url.href,
    host: url.host,
    before: url.protocol === 'https:' ? '' : 'http://',
    after: rest === '/' ? '' : rest.length > SHOWN_AFTER ? `${rest.slice(0, SHOWN_AFTER - 1)}…` : rest,
    length: run.length,
  };
}

/** Without the full stop of the sentence, and without a bracket that was opened before the address. */
function trimmed(run: string): string {
  for (;;) {
    const last = run.at(-1) ?? '';
    const opened = { ')': '(', ']': '[' }[last];
    const closes = opened !== undefined && count(run, last) > count(run, opened);
    if (!closes && !AFTER_IT.test(run)) return run;
    run = run.slice(0, -1);
  }
}

const count = (text: string, letter: string): number => text.split(letter).length - 1;
