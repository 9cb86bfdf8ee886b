/** Orders as UTF-8 bytes do, which is the order of code points and not that of JavaScript's 16-bit units. */
export function compareBytes(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What the place of a row depends on. */
export interface RowPlace {
  readonly joinedAt: string;
  readonly memberId: string;
  readonly userId: string;
}

/** The room's stable order (design A4): `joinedAt`, then the bytes of `memberId`; never because somebody moved. */
export function compareRows(a: RowPlace, b: RowPlace): number {
  if (a.joinedAt !== b.joinedAt) return a.joinedAt < b.joinedAt ? -1 : 1;
  return compareBytes(a.memberId, b.memberId) || compareBytes(a.userId, b.userId);
}
