// A room that a real window shares to browsers: the pages are those that the window has in it, a guest is a row in its list,
// and whoever is there by a browser is gone with the switch and with the window.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Rig, until } from './rig.mjs';
import { one } from './webdriver.mjs';

const rig = new Rig();
after(() => rig.end());

/** A browser without a window: it does what the page of a guest does. */
class Browser {
  constructor(link) {
    [this.origin, this.token] = link.split('/#');
  }

  async ask(method, path, body) {
    const headers = { origin: this.origin, cookie: this.cookie ?? '', ...(body && { 'content-type': 'application/json' }) };
    const answer = await fetch(this.origin + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    this.cookie ??= answer.headers.get('set-cookie')?.split(';')[0];
    return answer;
  }
}

describe('a window that shares its room to browsers', () => {
  let otter, browser, link;
  const shown = () => otter.page.js('return document.querySelector(arguments[0])?.value ?? null', one('share-link'));

  before(async () => {
    otter = await rig.open('otter');
    await otter.page.type(one('name-input'), 'Quiet Otter');
    await otter.page.click(one('first-run-start'));
    await otter.page.type(one('start-room-input'), 'deck-3');
    await otter.page.click(one('start-room'));
    await otter.page.see(one('board'));
  });

  it('does so by one switch, and serves its own pages', async () => {
    await otter.page.click(one('invite'));
    await otter.page.click(one('share-switch'));
    link = await until('the link', shown);
    assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/#[a-z2-7]{26}$/);
    await otter.shoot('share-on');
    browser = new Browser(link);
    const page = await (await browser.ask('GET', '/')).text();
    const script = /<script[^>]* src="\.?(\/assets\/guest-[^"]+)"/.exec(page)?.[1];
    assert.ok(script, page);
    assert.equal((await browser.ask('GET', script)).status, 200);
    assert.equal((await browser.ask('GET', '/index.html')).status, 404);
  });

  it('has a guest in its list, and none when it is ended', async () => {
    assert.equal((await browser.ask('POST', '/enter', { token: browser.token })).status, 200);
    assert.equal((await browser.ask('POST', '/session', { name: 'Merry Wren' })).status, 200);
    assert.equal((await browser.ask('POST', '/room/join', {})).status, 200);
    await until('the guest', async () => (await otter.page.texts(one('share-guests'))).some((text) => /Merry Wren/.test(text)));
    await otter.page.click(one('share-switch'));
    await until('no link', async () => (await shown()) === null);
    await assert.rejects(browser.ask('GET', '/'));
  });

  it('ends it when it closes', async () => {
    await otter.page.click(one('share-switch'));
    const again = await until('another link', shown);
    assert.notEqual(again, link);
    assert.equal((await new Browser(again).ask('GET', '/')).status, 200);
    await otter.close();
    await otter.ended();
    await assert.rejects(new Browser(again).ask('GET', '/'));
  });
});
