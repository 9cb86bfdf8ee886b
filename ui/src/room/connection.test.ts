import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConnectionState } from './connection.svelte';

let connection: ConnectionState;
beforeEach(() => {
  vi.useFakeTimers();
  connection = new ConnectionState();
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

const seen = () => [connection.phase, connection.why];

it('says what is wrong: the way to the peer, its network, or nobody heard', () => {
  connection.people(3, 0, true);
  vi.advanceTimersByTime(2_001);
  expect(seen()).toEqual(['amber', 'people']);
  connection.people(3, 0, false);
  expect(seen()).toEqual(['amber', 'network']);
  connection.linked(false);
  vi.advanceTimersByTime(8_000);
  expect(seen()).toEqual(['red', 'peer']);
  connection.linked(true);
  connection.people(3, 3, true);
  expect(connection.phase).toBe('back');
  vi.advanceTimersByTime(2_001);
  expect(connection.phase).toBe('quiet');
});

it('takes a peer that does not answer for one that is away, and knows the people again when it does', () => {
  connection.people(3, 2, true);
  connection.answers(false);
  vi.advanceTimersByTime(2_001);
  expect([...seen(), connection.reached]).toEqual(['amber', 'peer', 0]);
  connection.answers(true);
  expect([connection.phase, connection.reached]).toEqual(['back', 2]);
});
