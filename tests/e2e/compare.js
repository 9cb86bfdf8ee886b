/**
 * Pictures of pages, compared with those that somebody looked at and kept in `pictures/`. Letters and curves may be drawn
 * a shade softer elsewhere; a line, an icon or a word that is not where it was is told, with the picture that was
 * expected, the one that is, and what differs. `PARLOR_PICTURES_TAKE=1` keeps what is seen now instead.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

import { pictures } from './browser.js';
import { until } from './until.js';

const kept = fileURLToPath(new URL('./pictures', import.meta.url));
const taking = process.env.PARLOR_PICTURES_TAKE === '1';
/** How far two colours may be from each other, of 1, and how many points may be farther: less than a small icon has. */
const SHADE = 0.15;
const POINTS = 40;
const SETTLES_MS = 8_000;

/** What is another one every time, or is where somebody's time is. Cursors do not fade while they are looked at. */
const STYLE = `
  time, [data-testid=room-card] .count, .changed, [title*='127.0.0.1'] { visibility: hidden !important; }
  [data-testid=qr] path, code { visibility: hidden !important; }
  [data-testid=invite-link], [data-testid=invite-ticket] { color: transparent !important; }
  .cursor, .cursor .label { opacity: 1 !important; }
`;

const shot = (page) => page.screenshot({ animations: 'disabled', caret: 'hide', style: STYLE });

/** How many points differ, and a picture of them. */
function difference(expected, actual) {
  const { width, height } = expected;
  const drawn = new PNG({ width, height });
  if (actual.width !== width || actual.height !== height) return { points: Infinity, drawn };
  return { points: pixelmatch(expected.data, actual.data, drawn.data, width, height, { threshold: SHADE }), drawn };
}

async function keep(name, png) {
  await mkdir(kept, { recursive: true });
  await writeFile(join(kept, `${name}.png`), PNG.sync.write(png, { colorType: 2, filterType: 0, deflateLevel: 9, deflateStrategy: 0 }));
}

/** What the page shows once it shows it twice in a row. */
async function still(page) {
  let before;
  return until('a page that stands still', async () => {
    const now = PNG.sync.read(await shot(page));
    const same = before !== undefined && now.data.equals(before.data);
    before = now;
    return same && now;
  });
}

/** What is still on its way may come: the page has until the end of its time to look as it did. */
export async function looksAsBefore(page, name) {
  await page.evaluate(() => document.fonts.ready);
  if (taking) return keep(name, await still(page));
  const file = await readFile(join(kept, `${name}.png`)).catch(() => null);
  const expected = file === null ? null : PNG.sync.read(file);
  let [actual, found] = [null, { points: Infinity, drawn: null }];
  if (expected !== null)
    await until('the same picture', async () => {
      actual = PNG.sync.read(await shot(page));
      found = difference(expected, actual);
      return found.points <= POINTS;
    }, SETTLES_MS).catch(() => undefined);
  if (found.points <= POINTS) return;
  actual ??= await still(page);
  await mkdir(pictures, { recursive: true });
  for (const [part, png] of Object.entries({ expected, actual, difference: found.drawn }))
    if (png !== null) await writeFile(join(pictures, `${name}-${part}.png`), PNG.sync.write(png));
  assert.fail(
    expected === null
      ? `there is no picture of “${name}” yet; it looks as in ${join(pictures, `${name}-actual.png`)}`
      : `“${name}” differs in ${found.points} points: see ${join(pictures, `${name}-difference.png`)}`,
  );
}
