/**
 * The papers that notes are made of. A note names its colour; a name that is not ours, or a value that somebody's tool
 * wrote, is shown where it is safe, and is grey otherwise.
 */
export const PAPERS = ['yellow', 'orange', 'pink', 'red', 'violet', 'blue', 'green', 'grey'] as const;
export type Paper = (typeof PAPERS)[number];

/** A paper of ours, which has a value in light and in dark, or a value with the ink that can be read on it. */
export type NoteColour =
  | { readonly paper: Paper; readonly value: null }
  | { readonly paper: null; readonly value: string; readonly ink: 'dark' | 'light' };

export function noteColour(color: unknown): NoteColour {
  const paper = PAPERS.find((name) => name === color);
  if (paper !== undefined) return { paper, value: null };
  if (typeof color !== 'string' || !/^#[0-9a-f]{6}$/i.test(color)) return { paper: 'grey', value: null };
  return { paper: null, value: color.toLowerCase(), ink: luminance(color) > 0.18 ? 'dark' : 'light' };
}

/** Relative luminance as WCAG has it; at 0.18 black and white are read equally well. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
