/** The typing line: up to three by name, then "several", never a growing list that moves the page. */
import type { Catalogue } from './index';

export function typingLine(names: readonly string[], words: Catalogue): string {
  if (names.length === 0) return '';
  return names.length > 3 ? words.typing.several : words.typing.some(names);
}
