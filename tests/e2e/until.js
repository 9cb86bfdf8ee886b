import { setTimeout as pause } from 'node:timers/promises';

/**
 * Looks again and again until `look` returns something truthy, and returns that. An error of `look` counts as nothing
 * to see yet; the last one is part of the message when time is up.
 */
export async function until(what, look, limit = 10_000) {
  const deadline = performance.now() + limit;
  let problem;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${limit} ms: ${what}`, problem ? { cause: problem } : undefined);
    }
    await pause(30);
  }
}
