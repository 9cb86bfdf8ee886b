/**
 * Brings uPlot, when a chart is wanted. It asks for the language of the browser as it is loaded; a system without one calls
 * it "C", which is none, and uPlot would not load at all.
 */
import type uPlot from 'uplot';

export async function bringPlot(): Promise<typeof uPlot> {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
  return (await import('uplot')).default;
}
