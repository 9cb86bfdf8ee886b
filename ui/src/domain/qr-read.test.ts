import encode from 'qr';
import { describe, expect, it } from 'vitest';
import { codeIn, type Pixels } from './qr-read';

const LINK = 'parlor://join/aacgqylmnq2qs7iwz6oth4r7zhsab5dpaunh5b6aqjbpq6ax2f7ep5jpjingaaabdaxws4buf4ytenzogaxdalrrf52gg4bpgq2damzz4fwipoi';

/** A code as it is drawn, each square `side` pixels wide, with a little noise over it. */
function drawn(text: string, side: number, noise: number): Pixels {
  const rows = encode(text, 'raw', { border: 4 });
  const width = rows.length * side;
  const data = new Uint8ClampedArray(width * width * 4);
  let seed = 7;
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const light = rows[Math.floor(y / side)]?.[Math.floor(x / side)] ? 40 : 225;
      data.set([light, light, light, 255].map((value) => value + (seed % (2 * noise + 1)) - noise), (y * width + x) * 4);
    }
  }
  return { width, height: width, data };
}

describe('a picture of an invitation', () => {
  it.each([[3, 0], [4, 20], [7, 30]])('is read, %i pixels a square and %i of noise', async (side, noise) => {
    expect(await codeIn(drawn(LINK, side, noise))).toBe(LINK);
  });

  it('says nothing where there is no code', async () => {
    const data = new Uint8ClampedArray(200 * 200 * 4).fill(255);
    expect(await codeIn({ width: 200, height: 200, data })).toBe(null);
    expect(await codeIn({ width: 1, height: 1, data: data.slice(0, 4) })).toBe(null);
  });
});
