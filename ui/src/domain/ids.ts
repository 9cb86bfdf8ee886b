/** A name that nobody else chose. `crypto.randomUUID` is only there where the way to the page is encrypted. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

export function newId(length = 26): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => LETTERS[byte % LETTERS.length]).join('');
}
