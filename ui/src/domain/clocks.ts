/** Clocks that are so far off that times mislead (design R10). */
const FAR_MS = 300_000;

export const isFarOff = (aheadMs: number): boolean => Math.abs(aheadMs) > FAR_MS;
