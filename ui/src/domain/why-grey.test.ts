import { describe, expect, it } from 'vitest';
import { whyGrey, type Known } from './why-grey';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const known = (more: Partial<Known>): Known => ({
  ...{ state: 'stale', away: false, gone: null, lastSeenAt: at(100), linked: true, wasLinked: true, complete: true },
  ...more,
});

describe('whyGrey', () => {
  it.each([
    ['nobody who is here and awake', { state: 'active' }, null],
    ['who is away', { state: 'active', away: true }, { why: 'away' }],
    ['who left', { state: 'left', gone: 'left' }, { why: 'left' }],
    ['whose link broke for good', { state: 'left', gone: 'disconnected' }, { why: 'disconnected' }],
    ['who is silent on a link', {}, { why: 'silentLinked', seconds: 7 }],
    ['whose link ended', { linked: false }, { why: 'silentUnlinked', seconds: 7 }],
    ['whom others passed on', { linked: false, wasLinked: false }, { why: 'silentRelayed', seconds: 7 }],
    ['whose link nobody looked at', { linked: null, wasLinked: false }, { why: 'silentRelayed', seconds: 7 }],
    ['everybody while the own network is out', { complete: false }, { why: 'ownOutage' }],
    ['a time that is none', { lastSeenAt: 'soon' }, { why: 'silentLinked', seconds: 0 }],
    ['a time that is to come', { lastSeenAt: at(500) }, { why: 'silentLinked', seconds: 0 }],
  ] as const)('of %s', (_, more, why) => expect(whyGrey(known(more), 107_000)).toEqual(why));
});
