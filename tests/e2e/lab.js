/** What a peer's lab says when everything in it is on, as `GET /lab` has it. */
const calm = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0, duplicatePercent: 0 };
const far = { cut: false, delayMs: 80, jitterMs: 30, lossPercent: 1, duplicatePercent: 0 };

export const faults = (peerId, room) => ({
  seed: 7,
  all: { in: far, out: far, apart: false },
  peers: [{ peerId, faults: { in: calm, out: { ...calm, cut: true }, apart: false } }],
  ...{ wallAheadMs: -90_000, ticksAheadMs: 61_000, asleepMs: 12_000 },
  counts: { passed: 12_345, lost: 61, delayed: 12_284, duplicated: 5, overflowed: 0 },
  waiting: 3,
  people: [{ room, count: 8, seed: 7, here: 6 }],
});
