import { describe, expect, it } from 'vitest';
import { deviceOf, deviceToSay, systemOf, toldApart, type Device } from './device';

describe('the system', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko)', 'linux'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36', 'android'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36', 'windows'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 'macos'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15', 'ios'],
    ['curl/8', null],
  ])('of %s', (userAgent, system) => expect(systemOf({ userAgent })).toBe(system));

  it('of a tablet that says it is a Mac', () => {
    const userAgent = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
    expect(systemOf({ userAgent, maxTouchPoints: 5 })).toBe('ios');
  });
});

describe('a device', () => {
  const laptop: Device = { system: 'linux', app: 'window', name: 'Laptop' };

  it('is said and read', () => {
    expect(deviceOf({ device: deviceToSay(laptop) })).toEqual(laptop);
    const bare: Device = { system: null, app: 'browser', name: null };
    expect(deviceToSay(bare)).toEqual({ app: 'browser' });
    expect(deviceOf({ device: deviceToSay(bare) })).toEqual(bare);
    expect(deviceOf({ device: 'Doorbell' })).toEqual({ system: null, app: null, name: 'Doorbell' });
  });

  it('is read field by field and never trusted', () => {
    for (const device of [undefined, null, 7, [], {}, '', { system: 'toString', app: 'x', name: 7 }])
      expect(deviceOf({ device })).toBeNull();
    expect(deviceOf({ device: { system: 'linux', name: `a\u202e\n${'x'.repeat(99)}` } })).toMatchObject({ app: null });
    expect(Array.from(deviceOf({ device: { name: 'x'.repeat(99) } })?.name ?? '').length).toBe(32);
  });

  it('has a number where another is called the same', () => {
    expect(toldApart(['Linux', 'Laptop', 'Linux', 'Linux'])).toEqual(['Linux (1)', 'Laptop', 'Linux (2)', 'Linux (3)']);
  });
});
