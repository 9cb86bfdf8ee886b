/** The value below which that part of the numbers lies; null of none. */
export function quantile(numbers: readonly number[], part: number): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? sorted[0] ?? null;
}
