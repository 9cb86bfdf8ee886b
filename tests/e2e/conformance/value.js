/** What arguments stand for: what is too long to write, what was kept of an answer, who is meant. */
export function meant(written, names, n) {
  if (typeof written === 'string') return word(written, names, n);
  if (Array.isArray(written)) return written.map((item) => meant(item, names, n));
  if (typeof written !== 'object' || written === null) return written;
  const entries = Object.entries(written);
  if (entries.length === 1 && entries[0][0].startsWith('$')) return made(...entries[0]);
  return Object.fromEntries(entries.map(([key, value]) => [key.replaceAll('$n', n), meant(value, names, n)]));
}

function word(text, names, n) {
  if (text === '$n') return n;
  const name = text.replace(/^\$(is )?/, '');
  return text.startsWith('$') && names.has(name) ? names.get(name) : text.replaceAll('$n', n);
}

const MAKERS = {
  $text: (of) => (Array.isArray(of) ? of[1].repeat(of[0]) : 'x'.repeat(of)),
  $keys: (count) => Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, 1])),
  $deep: (levels) => Array.from({ length: levels - 1 }).reduce((inside) => ({ a: inside }), {}),
  $key: ([length, value]) => ({ ['k'.repeat(length)]: value }),
  $notes: ([first, count]) => Array.from({ length: count }, (_, n) => ({ id: `note ${first + n}`, x: first + n })),
};

function made(maker, of) {
  if (!(maker in MAKERS)) throw new Error(`nothing is made by ${maker}`);
  return MAKERS[maker](of);
}
