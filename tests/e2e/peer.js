/**
 * Headless peers: the `parlor serve --ui` that people run, on loopback, with a data directory of their own, so that
 * nothing links two of them but the address that one is given.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { until } from './until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.PARLOR_BIN ?? join(root, 'target/debug/parlor');
const pages = process.env.PARLOR_UI_DIR ?? join(root, 'ui/dist');

export class Peer {
  /** Starts a peer that dials `others`. */
  static async start(...others) {
    return Peer.#in(await mkdtemp(join(tmpdir(), 'parlor-e2e-')), others);
  }

  /** Starts a peer that makes faults when it is asked to, and dials `others`. */
  static async inLab(...others) {
    return Peer.#in(await mkdtemp(join(tmpdir(), 'parlor-e2e-')), others, pages, ['--lab']);
  }

  /** Starts a peer with flags that switch something off. */
  static async without(...flags) {
    return Peer.#in(await mkdtemp(join(tmpdir(), 'parlor-e2e-')), [], pages, flags);
  }

  /** Starts a peer that serves the pages in a folder. */
  static async serving(folder) {
    return Peer.#in(await mkdtemp(join(tmpdir(), 'parlor-e2e-')), [], folder);
  }

  /** Starts a peer in a copy of this one's data directory, as a backup or another computer has it, that dials `others`. */
  async copy(...others) {
    const data = await mkdtemp(join(tmpdir(), 'parlor-e2e-'));
    await cp(this.data, data, { recursive: true });
    return Peer.#in(data, others);
  }

  static async #in(data, others, folder = pages, flags = []) {
    const peer = new Peer(data);
    try {
      await peer.#listen(others, folder, flags);
    } catch (error) {
      await peer.stop();
      throw error;
    }
    return peer;
  }

  constructor(data) {
    this.data = data;
    this.token = `token-${Math.random().toString(36).slice(2)}`;
    this.complaints = [];
  }

  async #listen(others, folder, flags) {
    const dial = others.flatMap((other) => ['--dial', other.listen[0]]);
    this.process = spawn(
      program,
      [
        ...['serve', '--data-dir', this.data, '--http', '127.0.0.1:0', '--token', this.token],
        ...['--no-multicast', '--listen', '/ip4/127.0.0.1/tcp/0', '--ui', '--ui-dir', folder, ...dial, ...flags],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.process.on('error', (error) => this.complaints.push(String(error)));
    createInterface(this.process.stderr).on('line', (line) => this.complaints.push(line));
    createInterface(this.process.stdout).once('line', (line) => Object.assign(this, JSON.parse(line)));
    await until('the peer says where it listens', () => {
      if (this.process.exitCode !== null) throw new Error(this.complaints.join('\n'));
      return this.http;
    });
    // What it tells people to open, token and all.
    const open = await until('the peer says what to open', () =>
      this.complaints.map((line) => /Open (http\S+)/.exec(line)?.[1]).find(Boolean),
    );
    this.url = open;
  }

  /** An answer of the API. */
  async api(path) {
    const answer = await fetch(this.http + path, { headers: { authorization: `Bearer ${this.token}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Posts to the API as the profile's own person, or as a guest, and answers whatever came back. */
  async post(path, body, guest) {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    if (guest !== undefined) {
      headers['parlor-user'] = guest.id;
      // A header has bytes, not characters.
      headers['parlor-user-name'] = Buffer.from(guest.name).toString('latin1');
    }
    const answer = await fetch(this.http + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  }

  /** The same peer after an `end`: what lies on its disk is all that it has of before. */
  startAgain(...others) {
    return Peer.#in(this.data, others);
  }

  /** Ends it as an administrator does, returns its exit code, and leaves nothing of it. */
  async stop() {
    const code = await this.end();
    await rm(this.data, { recursive: true, force: true });
    return code;
  }

  /** Ends it as an administrator does, and returns its exit code. Its data stays. */
  async end() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    }
    return this.process?.exitCode;
  }
}
