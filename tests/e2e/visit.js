/**
 * A visit to all pages: one person in a browser, and two more who are there by their peers alone, so that what is seen is
 * what was arranged. `pages.js` says what is done on the way.
 */
import { openPage } from './browser.js';
import { TOOLS } from './looks.js';
import { Peer } from './peer.js';
import { Person } from './person.js';
import { until } from './until.js';

export const OPEN = 'Deck 3';
export const PRIVATE = 'Night watch';
export const OUT = 'Bridge';

/** The tools that look at a page are no part of it, so its policy must let them in here. */
const LOOKED_AT = { bypassCSP: true, reducedMotion: 'reduce' };
const CREW = [
  { name: 'Brisk Heron', color: '#bc5806', role: 'incident_commander', status: 'on the bridge' },
  { name: 'Merry Wren', color: '#ab4cc0', status: 'back at 14:00' },
];

export class Visit {
  static async begin(browser, options = {}) {
    const visit = new Visit(browser, options);
    try {
      visit.otter = await visit.at(await Peer.start());
      const heron = await Peer.start(visit.otter.peer);
      visit.crew.push(heron, await Peer.start(visit.otter.peer, heron));
      for (const [i, { name, color }] of CREW.entries()) await visit.crew[i].post('/profile', { name, color });
    } catch (error) {
      await visit.end();
      throw error;
    }
    return visit;
  }

  constructor(browser, options) {
    this.browser = browser;
    this.options = { ...LOOKED_AT, ...options };
    this.crew = [];
    this.others = [];
  }

  /** The person at a peer, on a page that remembers what moves. */
  async at(peer, { url = peer.url, routes = {} } = {}) {
    const page = await openPage(this.browser, 'about:blank', this.options);
    for (const content of TOOLS) await page.addInitScript({ content });
    for (const [path, answer] of Object.entries(routes)) await page.route(path, answer);
    await page.goto(url);
    return new Person('Quiet Otter', peer, page);
  }

  /** The same person on another page, which is closed when the next one is opened or the visit ends. */
  async elsewhere(...given) {
    await this.closeElsewhere();
    const other = await this.at(...given);
    this.others.push(other);
    return other;
  }

  async closeElsewhere() {
    for (const other of this.others.splice(0)) await other.page.context().close();
  }

  get heron() {
    return this.crew[0];
  }

  get wren() {
    return this.crew[1];
  }

  /** One of the others does something by the peer's API, which must take it. */
  async do(peer, room, call, body = {}) {
    const { status, body: answer } = await peer.post(`/rooms/${encodeURIComponent(room)}/${call}`, body);
    if (status !== 200 && status !== 201) throw new Error(`${call}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  async says(peer, text, more = {}) {
    return this.do(peer, OPEN, 'messages', { type: 'chat', data: { text, ...more }, keep: true });
  }

  /** The others come in, each with the presence that a window of theirs would have. */
  async gather(room, ticket) {
    for (const [i, person] of CREW.entries()) {
      const viewport = { x: -640 + 60 * i, y: -400, w: 1280, h: 800, zoom: 1 };
      const presence = { ...person, tool: 'select', viewport };
      // They say nothing for as long as others are looked at.
      await this.do(this.crew[i], room, 'join', { presence, presenceTtlSeconds: 3600, ...(ticket === undefined ? {} : { ticket }) });
    }
  }

  /** Puts away whatever lies over the page. */
  async clear() {
    const { page } = this.otter;
    await until('nothing lies over the page', async () => {
      if (await page.evaluate(() => document.querySelector('dialog:modal, [popover]:popover-open') === null)) return true;
      await page.keyboard.press('Escape');
      return false;
    });
  }

  /** Shows one panel of the room, and no other. */
  async panel(name) {
    const toggle = this.otter.at(`${name}-toggle`);
    if ((await toggle.getAttribute('aria-pressed')) !== 'true') await toggle.click();
    await this.otter.sees(`${name}-panel`);
  }

  async noPanel() {
    const toggle = this.otter.page.locator('header [aria-pressed=true][data-testid$=-toggle]');
    if ((await toggle.count()) > 0) await toggle.click();
  }

  async go(room) {
    if ((await this.otter.at('leave-room').count()) > 0) await this.otter.at('leave-room').click();
    await this.otter.sees('home');
    await this.otter.page.locator(`[data-testid=room-card][data-room="${room}"]`).first().click();
    await this.otter.sees('board');
  }

  async end() {
    await this.closeElsewhere();
    await this.otter?.leave();
    await Promise.all(this.crew.map((peer) => peer.stop()));
  }
}
