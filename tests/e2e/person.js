/** One person of a test: a headless peer, a page on it, and the words for what people do and see there. */
import assert from 'node:assert/strict';

import { openPage } from './browser.js';
import { Peer } from './peer.js';
import { until } from './until.js';

export class Person {
  /** A person whose peer dials those of `others`. */
  static async arrive(browser, name, ...others) {
    return Person.#at(browser, name, await Peer.start(...others.map((other) => other.peer)));
  }

  /** The same person once more, by a copy of their data directory, whose peer dials theirs and those of `others`. */
  async again(browser, ...others) {
    const peer = await this.peer.copy(...[this, ...others].map((other) => other.peer));
    const again = await Person.#at(browser, `${this.name} again`, peer);
    again.id = this.id;
    return again;
  }

  static async #at(browser, name, peer) {
    try {
      return new Person(name, peer, await openPage(browser, peer.url));
    } catch (error) {
      await peer.stop();
      throw error;
    }
  }

  constructor(name, peer, page) {
    this.name = name;
    this.peer = peer;
    this.page = page;
  }

  /** An element by its test id, and by whom it is about. */
  at(id, member) {
    const about = member === undefined ? '' : `[data-member="${member.id}"]`;
    return this.page.locator(`[data-testid="${id}"]${about}`);
  }

  async sees(id, member) {
    await until(`${this.name} sees ${id}`, () => this.at(id, member).first().isVisible());
    return this.at(id, member).first();
  }

  async seesNo(id, member) {
    await until(`${this.name} sees no ${id}`, async () => (await this.at(id, member).count()) === 0);
  }

  /** Waits until an element says something. */
  async reads(id, words, member) {
    const said = async () => (await this.at(id, member).first().textContent()) ?? '';
    try {
      await until(`${this.name} reads ${words} in ${id}`, async () => words.test(await said()));
    } catch (error) {
      error.message += `; it says "${await said().catch(() => 'nothing')}"`;
      throw error;
    }
  }

  /** Says who one is, on the sheet of the first run. */
  async introduce() {
    await this.sees('first-run');
    await this.at('name-input').fill(this.name);
    await this.at('first-run-start').click();
    await this.seesNo('first-run');
    this.id = (await this.peer.api('/profile')).userId;
    assert.match(this.id, /^u_/);
  }

  /** Rows of a room, as one's own peer knows them. */
  async members(room) {
    return (await this.peer.api(`/rooms/${encodeURIComponent(room)}/members`)).members;
  }

  async member(room, who) {
    return (await this.members(room)).find((member) => member.memberId === who.id);
  }

  /** Where the board is on one's screen. */
  async board() {
    return (await this.sees('board')).boundingBox();
  }

  /** Closes the window and ends the peer, as at the end of a day. */
  async goHome() {
    await this.page.context().close();
    return this.peer.end();
  }

  /** Comes back with what lies on disk. */
  async comeBack(browser, ...others) {
    this.peer = await this.peer.startAgain(...others.map((other) => other.peer));
    this.page = await openPage(browser, this.peer.url);
  }

  async leave() {
    await this.page.context().close();
    return this.peer.stop();
  }
}
