import type { Evidence, EvidenceVerdict, Witness } from 'parlor-client';
import { describe, expect, it } from 'vitest';
import { whyGrey, type Known } from './why-grey';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const known = (more: Partial<Known>): Known => ({
  ...{ state: 'stale', away: false, gone: null, lastSeenAt: at(100), linked: true, wasLinked: true, complete: true },
  ...{ evidence: null, ...more },
});
const told = (verdict: EvidenceVerdict, ...says: Witness['says'][]): Evidence => ({
  ...{ heardMsAgo: 7_400, path: 'direct', through: null, linked: true, rttMs: null, missedBeats: 3 },
  ...{ verdict, sentence: '' },
  witnesses: says.map((one) => ({ sessionId: one, userId: null, name: null, says: one, heardMsAgo: null })),
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
    [
      'whom three others hear',
      { evidence: told('youLostThem', 'hears', 'hears', 'nothing', 'hears') },
      { why: 'youLostThem', seconds: 7, hear: 3, lost: 0 },
    ],
    [
      'whom some hear',
      { linked: false, evidence: told('someLostThem', 'hears', 'silent', 'left') },
      { why: 'someLostThem', seconds: 7, hear: 1, lost: 2 },
    ],
    [
      'whom nobody hears',
      { evidence: told('allLostThem', 'silent', 'silent', 'unknown') },
      { why: 'allLostThem', seconds: 7, hear: 0, lost: 2 },
    ],
    [
      'whose leave others heard',
      { evidence: told('left', 'left', 'silent', 'left') },
      { why: 'theyLeft', seconds: 7, hear: 0, lost: 2 },
    ],
    [
      'of whom nobody says anything',
      { evidence: told('noAnswer', 'nothing', 'nothing') },
      { why: 'noAnswer', seconds: 7, hear: 0, lost: 2 },
    ],
    ['who was not asked about yet', { evidence: told('quiet') }, { why: 'silentLinked', seconds: 7 }],
    ['whom nobody else could hear', { evidence: told('nobodyToAsk') }, { why: 'silentLinked', seconds: 7 }],
    ['whom others hear, in own outage', { complete: false, evidence: told('youLostThem', 'hears') }, { why: 'ownOutage' }],
    [
      'who was given up, and others hear them',
      { state: 'left', gone: 'timeout', evidence: told('youLostThem', 'hears') },
      { why: 'youLostThem', seconds: 7, hear: 1, lost: 0 },
    ],
    ['who was given up in silence', { state: 'left', gone: 'timeout', evidence: told('nobodyToAsk') }, { why: 'timeout' }],
    [
      'who left by their own word, whatever others say',
      { state: 'left', gone: 'left', evidence: told('allLostThem', 'silent') },
      { why: 'left' },
    ],
    ['nobody who is heard, whatever others say', { state: 'active', evidence: told('allLostThem', 'silent') }, null],
    ['a time that is none', { lastSeenAt: 'soon' }, { why: 'silentLinked', seconds: 0 }],
    ['a time that is to come', { lastSeenAt: at(500) }, { why: 'silentLinked', seconds: 0 }],
  ] as const)('of %s', (_, more, why) => expect(whyGrey(known(more), 107_000)).toEqual(why));
});
