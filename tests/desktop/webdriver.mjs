// A page inside a window, by the W3C WebDriver protocol. Elements are named by their `data-testid`.

import { until } from './rig.mjs';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** The selector of a test id, with further attributes: `one('avatar', { member: 'u_x' })`. */
export function one(testid, data = {}) {
  const more = Object.entries(data).map(([key, value]) => `[data-${key}="${value}"]`);
  return `[data-testid="${testid}"]${more.join('')}`;
}

export class Page {
  #base;
  #session;

  static async open(base, application, args) {
    const page = new Page();
    page.#base = base;
    const capabilities = { alwaysMatch: { 'tauri:options': { application, args } } };
    page.#session = (await page.#call('POST', '/session', { capabilities })).sessionId;
    return page;
  }

  /** Runs the body of a function in the page. */
  js(script, ...args) {
    return this.#call('POST', `/session/${this.#session}/execute/sync`, { script, args });
  }

  /** The elements that match, each as its text. */
  texts(selector) {
    return this.js('return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)', selector);
  }

  /** An attribute of every element that matches. */
  attributes(selector, name) {
    const script = 'return [...document.querySelectorAll(arguments[0])].map((e) => e.getAttribute(arguments[1]))';
    return this.js(script, selector, name);
  }

  /** Waits for an element and answers its text. */
  see(selector, ms = 10_000) {
    return until(`${selector} to be there`, async () => (await this.texts(selector))[0], ms, (text) => text !== undefined);
  }

  /** Clicks an element once it can be clicked. */
  async click(selector) {
    await this.see(selector);
    const element = await this.#element(selector);
    await this.#call('POST', `/session/${this.#session}/element/${element}/click`, {});
  }

  /** Replaces what stands in a text field, key by key. */
  async type(selector, text) {
    await this.see(selector);
    const element = await this.#element(selector);
    await this.#call('POST', `/session/${this.#session}/element/${element}/clear`, {});
    await this.#call('POST', `/session/${this.#session}/element/${element}/value`, { text });
  }

  /** Presses a key, by its WebDriver code. */
  press(key) {
    const actions = [{ type: 'keyDown', value: key }, { type: 'keyUp', value: key }];
    return this.#actions([{ type: 'key', id: 'keyboard', actions }]);
  }

  /** Moves the pointer through points counted from the middle of an element. */
  async move(selector, points, duration = 100) {
    const origin = { [ELEMENT]: await this.#element(selector) };
    const actions = points.map(([x, y]) => ({ type: 'pointerMove', origin, x, y, duration }));
    await this.#actions([{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }]);
  }

  /** Drags from one point to another, counted from the middle of an element. */
  async drag(selector, [from, to]) {
    const origin = { [ELEMENT]: await this.#element(selector) };
    const go = ([x, y], duration) => ({ type: 'pointerMove', origin, x, y, duration });
    const actions = [go(from, 0), { type: 'pointerDown', button: 0 }, go(to, 200), { type: 'pointerUp', button: 0 }];
    await this.#actions([{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }]);
  }

  /** Where an element is: `{ x, y, width, height }`. */
  async place(selector) {
    const script = 'const r = document.querySelector(arguments[0])?.getBoundingClientRect(); return r && r.toJSON()';
    return this.js(script, selector);
  }

  /** The windows of the app, by what the driver calls them. */
  windows() {
    return this.#call('GET', `/session/${this.#session}/window/handles`);
  }

  /** From now on it is the page of this window that is talked to. */
  turnTo(handle) {
    return this.#call('POST', `/session/${this.#session}/window`, { handle });
  }

  reload() {
    return this.#call('POST', `/session/${this.#session}/refresh`, {});
  }

  #actions(actions) {
    return this.#call('POST', `/session/${this.#session}/actions`, { actions });
  }

  async #element(selector) {
    const found = await this.#call('POST', `/session/${this.#session}/element`, {
      using: 'css selector',
      value: selector,
    });
    return found[ELEMENT];
  }

  async #call(method, path, body) {
    const response = await fetch(this.#base + path, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}
