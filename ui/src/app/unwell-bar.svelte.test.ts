// @vitest-environment happy-dom
import type { Status } from 'parlor-client';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { span } from '../i18n';
import UnwellBar from './UnwellBar.svelte';

let ends: () => void = () => {};
afterEach(() => {
  ends();
  ends = () => {};
});

type Wrong = Partial<Pick<Status, 'newer' | 'clockAheadMs' | 'notices'>>;
const statusOf = (wrong: Wrong) => ({ newer: 0, clockAheadMs: null, notices: [], ...wrong }) as unknown as Status;

function shown(status: Wrong) {
  const target = document.createElement('div');
  const said: string[] = [];
  const props = $state({ status: statusOf(status), say: (words: string) => void said.push(words) });
  const bar = mount(UnwellBar, { target, props });
  ends = () => void unmount(bar);
  flushSync();
  const bars = () =>
    [...target.querySelectorAll('[data-testid=unwell-bar]')].map((bar) => bar.getAttribute('data-what'));
  const words = () => target.textContent?.replace(/\s+/g, ' ') ?? '';
  const become = (next: Wrong) => {
    props.status = statusOf(next);
    flushSync();
  };
  const hide = () => {
    target.querySelector('button')?.click();
    flushSync();
  };
  return { bars, words, said, become, hide };
}

describe('UnwellBar', () => {
  it('is not there while all is well', () => {
    expect(shown({ newer: 0, clockAheadMs: null }).bars()).toEqual([]);
  });

  it('says whom this version cannot read, and what to do', () => {
    const { words, said } = shown({ newer: 1, clockAheadMs: null });
    expect(words()).toMatch(/has a newer Parlor, so you do not see them in rooms\. Update Parlor on this computer\./);
    expect(said).toHaveLength(1);
  });

  it('says which way the clock is off, and how far', () => {
    const { words, become } = shown({ newer: 0, clockAheadMs: 725_000 });
    expect(words()).toMatch(/Your clock seems 12 minutes behind the others/);
    become({ newer: 0, clockAheadMs: -7_200_000 });
    expect(words()).toMatch(/Your clock seems 2 hours ahead of the others/);
  });

  it('goes when it was read, and comes back when it begins anew', () => {
    const { bars, become, hide } = shown({ newer: 2, clockAheadMs: 725_000 });
    expect(bars()).toEqual(['newer', 'clock']);
    hide();
    expect(bars()).toEqual(['clock']);
    become({ newer: 3, clockAheadMs: 725_000 });
    expect(bars()).toEqual(['clock']);
    become({ newer: 0, clockAheadMs: 725_000 });
    become({ newer: 1, clockAheadMs: null });
    expect(bars()).toEqual(['newer']);
  });
});

describe('what the peer has to say of its disk', () => {
  const full =
    'plan is not saved: the disk is full, so rooms.redb was not written; what was saved before is safe, make room and it is saved again. Whoever is in the room has it all the same';

  it('is said in full, one after the other, and goes when it is over', () => {
    const { bars, words, said, become, hide } = shown({ notices: [full, 'cannot read standing: broken'] });
    expect(bars()).toEqual([full]);
    expect(words()).toMatch(
      /keeps on this computer\. Plan is not saved: the disk is full, .* the same\. Hide \(1 more\)/,
    );
    expect(said).toHaveLength(1);
    hide();
    expect(words()).toMatch(/Cannot read standing: broken\. Hide/);
    hide();
    expect(bars()).toEqual([]);
    become({ notices: [] });
    become({ notices: [full] });
    expect(bars()).toEqual([full]);
  });
});

describe('span', () => {
  it('is in the largest unit that is filled', () => {
    expect([400_000, -3_599_000, 3_600_000, 200_000_000].map(span)).toEqual([
      '6 minutes',
      '59 minutes',
      '1 hour',
      '2 days',
    ]);
  });
});
