/** Both catalogues say everything, each in its own language, and nothing is said outside of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, type AST } from 'svelte/compiler';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { de as deInside } from '../inspector/words/de';
import { en as enInside } from '../inspector/words/en';
import { de } from './de';
import { en } from './en';
import { setLocale } from './format';
import { known, speak, spoken, t } from '.';

type Said = (...args: unknown[]) => unknown;

/** Every leaf of a catalogue by its path. */
function leaves(tree: object, path = ''): Map<string, string | Said> {
  const found = new Map<string, string | Said>();
  for (const [key, value] of Object.entries(tree)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string' || typeof value === 'function') found.set(at, value as string | Said);
    else for (const [below, leaf] of leaves(value as object, at)) found.set(below, leaf);
  }
  return found;
}

/** Arguments of every kind that a sentence may want; the first of each place that it takes. */
const KINDS: readonly unknown[] = [3, 'Zoë', ['Zoë', 'Bo'], () => '14:00'];

function said(sentence: string | Said, locale: string): string {
  setLocale(locale);
  if (typeof sentence === 'string') return sentence;
  const places = Array.from({ length: sentence.length }, () => KINDS);
  const all = places.reduce<readonly unknown[][]>(
    (lists, kinds) => lists.flatMap((list) => kinds.map((kind) => [...list, kind])),
    [[]],
  );
  for (const args of all) {
    try {
      const words = sentence(...args);
      if (typeof words === 'string' && !words.includes('undefined')) return words;
      if (Array.isArray(words)) return words.join(' ');
    } catch {
      // another kind of argument
    }
  }
  throw new Error('no arguments fit');
}

/** What is the same word in both. */
const SAME = new Set([
  ...[
    'Parlor',
    'Link',
    'Name',
    'Hand',
    'Laser',
    'Host',
    'Stand-up',
    'Port',
    'Problem',
    'mDNS',
    'Token',
    'Alt',
    'Esc',
    'Tab',
    '⌘',
    ',',
    '192.168.1.20:4747',
  ],
  ...['–', 'Version', 'RTT', 'RTT p50', 'RTT p99', 'Bytes'],
  ...['Orange', 'Text in Markdown', '+3', '', '3', '3: 3', '3, 3'],
]);

beforeEach(() => setLocale('en'));
afterAll(() => speak('en'));

describe.each([
  ['the window', en, de],
  ['the inspector', enInside, deInside],
] as const)('the catalogues of %s', (_, inEnglish, inGerman) => {
  const english = leaves(inEnglish);
  const german = leaves(inGerman);

  it('have the same sentences, which take the same', () => {
    expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [path, sentence] of english) expect(typeof german.get(path), path).toBe(typeof sentence);
  });

  it('leave nothing in English in German', () => {
    const left = [...english]
      .map(([path, sentence]) => [path, said(sentence, 'en'), said(german.get(path) ?? '', 'de')] as const)
      .filter(([, one, other]) => one === other && !SAME.has(one));
    expect(left).toEqual([]);
  });
});

describe('the catalogues', () => {
  it('say one and many apart, and none where it is another', () => {
    setLocale('de');
    expect([1, 2, 1_000].map(de.home.people)).toEqual(['1 Person', '2 Personen', '1.000 Personen']);
    expect([0, 1, 2].map(de.home.reach)).toEqual([
      'Noch niemand gefunden',
      '1 Peer in diesem Netz',
      '2 Peers in diesem Netz',
    ]);
    expect(de.typing.some(['Ada', 'Bo', 'Cy'])).toBe('Ada, Bo und Cy tippen …');
    setLocale('en');
    expect(en.typing.some(['Ada', 'Bo', 'Cy'])).toBe('Ada, Bo and Cy are typing…');
  });
});

describe('the language', () => {
  it('is the first that is wanted and known', () => {
    expect(known(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(known(['DE'])).toBe('de');
    expect(known(['fr', 'nl'])).toBe('en');
    expect(known([])).toBe('en');
  });

  it('changes while it is spoken, and the last that was asked for wins', async () => {
    await speak('de');
    expect([spoken(), t.app.close]).toEqual(['de', 'Schließen']);
    await Promise.all([speak('de'), speak('en')]);
    expect([spoken(), t.app.close]).toEqual(['en', 'Close']);
  });
});

describe('components', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.svelte'));
  /** Attributes that people read or hear. */
  const READ = new Set(['title', 'label', 'placeholder', 'alt', 'hint', 'text', 'aria-label', 'aria-description']);
  /** Units are no words of a language. */
  const UNITS = new Set(['ms', 'px', 'KB']);

  const isWord = (text: string) =>
    /\p{L}{2,}/u.test(text) &&
    !text
      .trim()
      .split(/\s+/)
      .every((word) => UNITS.has(word));

  /** Texts of a template that stand in it and not in a catalogue. */
  function written(source: string): string[] {
    const found: string[] = [];
    const walk = (node: unknown): void => {
      if (Array.isArray(node)) return node.forEach(walk);
      if (typeof node !== 'object' || node === null) return;
      const { type } = node as { type?: string };
      if (type === 'Text' && isWord((node as AST.Text).data)) found.push((node as AST.Text).data.trim());
      if (type === 'StyleDirective') return;
      if (type === 'Attribute') {
        const { name, value } = node as AST.Attribute;
        if (READ.has(name)) walk(value === true ? [] : value);
        return;
      }
      for (const [key, child] of Object.entries(node)) if (key !== 'parent') walk(child);
    };
    walk(parse(source, { modern: true }).fragment);
    return found;
  }

  it('write no words of their own', () => {
    expect(written('<p title="Rename">{name} is here</p>')).toEqual(['Rename', 'is here']);
    expect(written('<p class="quiet" data-testid="row">{t.app.name} · {rtt} ms</p>')).toEqual([]);
    expect(files.length).toBeGreaterThan(40);
    const all = files.map((path) => [path, written(readFileSync(`${folder}/${path}`, 'utf8'))] as const);
    expect(all.filter(([, words]) => words.length > 0)).toEqual([]);
  });
});
