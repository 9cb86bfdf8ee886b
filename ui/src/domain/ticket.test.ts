import { describe, expect, it } from 'vitest';
import { ticketIn } from './ticket';

describe('ticketIn', () => {
  it('knows a ticket and a link, in either case', () => {
    for (const text of ['parlor:ab2c', 'PARLOR:AB2C', 'parlor://join/ab2c', 'parlor://join/ab2c/']) {
      expect(ticketIn(text)).toBe(text);
    }
  });

  it('takes off what a mail puts around and into it', () => {
    expect(ticketIn(' <parlor://join/ab\r\n  2c>. ')).toBe('parlor://join/ab2c');
    expect(ticketIn('“parlor:ab2c”,')).toBe('parlor:ab2c');
  });

  it('leaves the names of rooms alone', () => {
    for (const name of ['', 'standup', 'the parlor: upstairs', 'parlor', 'https://example.org/parlor:ab']) {
      expect(ticketIn(name)).toBeNull();
    }
  });
});
