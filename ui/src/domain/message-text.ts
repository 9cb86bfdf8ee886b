/**
 * What somebody wrote in a message, made fit for reading: it stays text, in its lines and its place, and everything in it
 * can be seen. Then cut into pieces: words, web addresses, names. Pure.
 */
import { linkAt, type Link } from './links';
import { seenText } from './line';
import { mentionAt, type Callable } from './mentions';

export type Piece =
  | { readonly kind: 'words'; readonly text: string }
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'mention'; readonly text: string; readonly me: boolean };

const LETTERS_MAX = 4_096;
/** More empty lines in a row only push the words of others away. */
const EMPTY_LINES = /\n{3,}/g;

/** The text in its lines, without what cannot be seen or turns lines around; empty when nothing is left to read. */
export function textOf(value: string): string {
  return seenText(value, LETTERS_MAX).replace(EMPTY_LINES, '\n\n');
}

/** The pieces of a text that `textOf` made, in order. Together they are the text. */
export function piecesOf(text: string, people: readonly Callable[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let words = '';
  const put = (piece: Piece) => {
    if (words !== '') pieces.push({ kind: 'words', text: words });
    words = '';
    pieces.push(piece);
  };
  for (let at = 0; at < text.length; ) {
    const link = linkAt(text, at);
    const mention = link === null ? mentionAt(text, at, people) : null;
    if (link !== null) put({ kind: 'link', link });
    else if (mention !== null) put({ kind: 'mention', text: mention.text, me: mention.person.me });
    else words += text[at];
    at += link?.length ?? mention?.text.length ?? 1;
  }
  if (words !== '') pieces.push({ kind: 'words', text: words });
  return pieces;
}
