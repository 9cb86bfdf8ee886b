/**
 * Every page of the interface can be used by everybody: at 100 % and 200 %, in the smallest window, in both languages,
 * light, dark, in the system's own colours and with less motion. The tests of one visit build on each other.
 */
import { after, before, describe, test } from 'node:test';

import { launch } from './browser.js';
import { look } from './looks.js';
import { WALKS } from './modes.js';
import { PAGES } from './pages.js';
import { Person } from './person.js';
import { Visit } from './visit.js';

let browser;

before(async () => void (browser = await launch()));
after(() => browser?.close());

/** Two visits at a time: much of one is waiting for peers. */
describe('every page', { concurrency: 2 }, () => {
  for (const walk of WALKS)
    describe(walk.name, { concurrency: 1 }, () => {
      let visit;
      let lost = false;

      before(async () => void (visit = await Visit.begin(browser, walk.options)));
      after(() => visit?.end());

      for (const [name, open, what = {}] of PAGES)
        if ([undefined, walk.name].includes(what.slow))
          test(name, async (t) => {
            // Nobody comes further by a way that is closed.
            if (lost) return t.skip('the way here was lost before');
            lost = true;
            const person = await open(visit);
            lost = false;
            await look(person instanceof Person ? person : visit.otter, walk, name.replace(/\W+/g, '-'), what);
          });
    });
});
