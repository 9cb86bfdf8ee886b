// Just enough of the X11 protocol to be the window manager that Xvfb does not have: which windows are there, which one is
// in front, and the polite request to close that a title bar's button sends.

import net from 'node:net';

const INTERN_ATOM = 16;
const GET_WINDOW_ATTRIBUTES = 3;
const QUERY_TREE = 15;
const GET_PROPERTY = 20;
const SEND_EVENT = 25;
const QUERY_EXTENSION = 98;
const FAKE_INPUT = 2;
const CLIENT_MESSAGE = 33;
const VIEWABLE = 2;

const KEY = [2, 3];
const BUTTON = [4, 5];
const MOVE = 6;
/** Where keys are on the keyboard that Xvfb has. */
const KEYS = { Return: 36, Up: 111, Down: 116, Right: 114, Escape: 9 };

const padded = (length) => (length + 3) & ~3;

export class X11 {
  #socket;
  #received = Buffer.alloc(0);
  #waiting = new Map();
  #sequence = 0;
  #wake = () => {};
  #root = 0;
  #xtest = 0;

  /** Connects to a local display by its number. */
  static async open(display) {
    const x = new X11();
    x.#socket = net.connect(`/tmp/.X11-unix/X${display}`);
    await new Promise((resolve, reject) => x.#socket.once('connect', resolve).once('error', reject));
    const setup = new Promise((resolve) => (x.#wake = resolve));
    x.#socket.on('data', (bytes) => {
      x.#received = Buffer.concat([x.#received, bytes]);
      if (x.#root === 0) x.#readSetup();
      if (x.#root !== 0) x.#readReplies();
    });
    x.#socket.on('error', () => {}); // the display ends before its clients
    x.#socket.write(Buffer.from([0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    await setup;
    return x;
  }

  close() {
    this.#socket.destroy();
  }

  /** The windows that can be seen, the lowest first: `{ id, title, pid }`. */
  async windows() {
    const tree = await this.#request(QUERY_TREE, 0, u32(this.#root));
    const ids = Array.from({ length: tree.readUInt16LE(16) }, (_, n) => tree.readUInt32LE(32 + 4 * n));
    const found = [];
    for (const id of ids) {
      try {
        const attributes = await this.#request(GET_WINDOW_ATTRIBUTES, 0, u32(id));
        const pid = await this.#property(id, '_NET_WM_PID');
        if (attributes[26] !== VIEWABLE || pid.length < 4) continue;
        const title = (await this.#property(id, '_NET_WM_NAME')).toString();
        found.push({ id, title, pid: pid.readUInt32LE(0) });
      } catch {
        // a window that went while it was asked
      }
    }
    return found;
  }

  /** Asks a window to close, as the button in its title bar does. */
  async requestClose(id) {
    const event = Buffer.alloc(32);
    event[0] = CLIENT_MESSAGE;
    event[1] = 32;
    event.writeUInt32LE(id, 4);
    event.writeUInt32LE(await this.#atom('WM_PROTOCOLS'), 8);
    event.writeUInt32LE(await this.#atom('WM_DELETE_WINDOW'), 12);
    this.#send(SEND_EVENT, 0, u32(id), u32(0), event);
  }

  /** A press of the first button of the pointer at a place of the screen. */
  async click(x, y) {
    await this.#fake(MOVE, 0, x, y);
    for (const type of BUTTON) await this.#fake(type, 1);
  }

  /** A press of a key, by its place on the keyboard. */
  async press(key) {
    for (const type of KEY) await this.#fake(type, KEYS[key]);
  }

  /** As if somebody sat at the screen (the XTEST extension). */
  async #fake(type, detail, x = 0, y = 0) {
    if (this.#xtest === 0) {
      const name = Buffer.from('XTEST\0\0\0');
      const reply = await this.#request(QUERY_EXTENSION, 0, Buffer.from([5, 0, 0, 0]), name);
      if (reply[8] !== 1) throw new Error('the display lets nobody pretend to sit at it');
      this.#xtest = reply[9];
    }
    const event = Buffer.alloc(32);
    event[0] = type;
    event[1] = detail;
    if (type === MOVE) event.writeUInt32LE(this.#root, 8);
    event.writeInt16LE(x, 20);
    event.writeInt16LE(y, 22);
    this.#send(this.#xtest, FAKE_INPUT, event);
    // An answer to anything says that it was taken.
    await this.#atom('XTEST');
  }

  async #atom(name) {
    const text = Buffer.alloc(padded(name.length));
    text.write(name);
    const length = Buffer.alloc(4);
    length.writeUInt16LE(name.length, 0);
    return (await this.#request(INTERN_ATOM, 0, length, text)).readUInt32LE(8);
  }

  async #property(id, name) {
    const reply = await this.#request(GET_PROPERTY, 0, u32(id), u32(await this.#atom(name)), u32(0), u32(0), u32(256));
    return reply.subarray(32, 32 + reply.readUInt32LE(16) * (reply[1] / 8));
  }

  #send(opcode, detail, ...parts) {
    const body = Buffer.concat(parts);
    const head = Buffer.from([opcode, detail, 0, 0]);
    head.writeUInt16LE(1 + body.length / 4, 2);
    this.#socket.write(Buffer.concat([head, body]));
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }

  #request(...request) {
    const sequence = this.#send(...request);
    return new Promise((resolve, reject) => this.#waiting.set(sequence, { resolve, reject }));
  }

  #readSetup() {
    const bytes = this.#received;
    if (bytes.length < 8 || bytes.length < 8 + bytes.readUInt16LE(6) * 4) return;
    if (bytes[0] !== 1) throw new Error('the display refused the connection');
    this.#root = bytes.readUInt32LE(40 + padded(bytes.readUInt16LE(24)) + 8 * bytes[29]);
    this.#received = bytes.subarray(8 + bytes.readUInt16LE(6) * 4);
    this.#wake();
  }

  #readReplies() {
    while (this.#received.length >= 32) {
      const kind = this.#received[0];
      const length = kind === 1 ? 32 + this.#received.readUInt32LE(4) * 4 : 32;
      if (this.#received.length < length) return;
      const message = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      if (kind > 1) continue; // an event
      const waiting = this.#waiting.get(message.readUInt16LE(2));
      this.#waiting.delete(message.readUInt16LE(2));
      if (kind === 1) waiting?.resolve(message);
      else waiting?.reject(new Error(`X11 error ${message[1]}`));
    }
  }
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
