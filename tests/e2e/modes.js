/** The ways in which a page is looked at: how large, in which language, and in whose colours. */

export const SIZES = {
  /** Twice the size is half the window, drawn with twice the points. */
  twice: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  smallest: { viewport: { width: 720, height: 480 } },
  /** The browser of a telephone. */
  telephone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 },
};
const GERMAN = { locale: 'de-DE' };

/** What the person's system says of colours. Less motion is asked for in all of them. */
export const COLOURS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'dark', forcedColors: 'active' },
};

/** Each is one visit to all pages. `axe` says in which colours the tool looks, beside the checks of one's own. */
export const WALKS = [
  { name: 'at 100 %', options: {}, colours: ['light', 'dark', 'forced'], axe: ['light', 'dark', 'forced'] },
  { name: 'at 200 %', options: SIZES.twice, colours: ['light', 'forced'], axe: ['light'] },
  { name: 'in German at 200 %', options: { ...SIZES.twice, ...GERMAN }, colours: ['light'], axe: ['light'] },
  { name: 'in German on a telephone', options: { ...SIZES.telephone, ...GERMAN }, colours: ['light'], axe: [] },
  { name: 'in German in the smallest window', options: { ...SIZES.smallest, ...GERMAN }, colours: ['light'], axe: [] },
];

export async function inColours(page, name) {
  await page.emulateMedia(COLOURS[name]);
}
