// What the desktop tests stand on: screens that nobody sees, windows on them, and the certainty that every process
// started here has ended afterwards. Peers listen on loopback and never multicast; two profiles of one data directory
// find each other by their `peer.json`.

import { spawn, execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Page } from './webdriver.mjs';
import { X11 } from './x11.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.PARLOR_DESKTOP_BIN ?? path.join(root, 'target/debug/parlor-desktop');
const pictures = process.env.PARLOR_PICTURES ?? path.join(root, 'target/pictures');
const driver = [process.env.TAURI_DRIVER, process.env.PARLOR_TAURI_DRIVER, path.join(root, 'target/tools/bin/tauri-driver')].find(
  (file) => file && existsSync(file),
) ?? 'tauri-driver';

const SCREEN = '1280x800x24';

/** Asks again and again until the answer is good, and fails with the last answer when the time is over. */
export async function until(what, ask, ms = 10_000, good = Boolean) {
  const deadline = performance.now() + ms;
  for (;;) {
    let answer;
    try {
      answer = await ask();
      if (good(answer)) return answer;
    } catch (error) {
      answer = error.message;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${ms} ms for ${what}; the last answer was ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Everything one test file starts; `end` takes it all down. */
export class Rig {
  #groups = [];
  #displays = [];

  constructor() {
    // Also when the runner gives up on us: what we started is in groups that nobody else would end.
    process.on('exit', () => this.#groups.forEach(killGroup));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
    this.directory = mkdtempSync(path.join(os.tmpdir(), 'parlor-desktop-'));
    this.dataDir = path.join(this.directory, 'data');
    mkdirSync(pictures, { recursive: true });
  }

  /** A new screen. */
  async screen() {
    const child = this.#start('Xvfb', ['-displayfd', '3', '-screen', '0', SCREEN, '-nolisten', 'tcp'], {}, ['pipe']);
    const display = await new Promise((resolve, reject) => {
      let said = '';
      child.stdio[3].on('data', (bytes) => {
        said += bytes;
        if (said.includes('\n')) resolve(Number(said));
      });
      child.once('exit', () => reject(new Error(`Xvfb did not start; see ${child.log}`)));
      child.once('error', reject);
    });
    const x11 = await X11.open(display);
    this.#displays.push(x11);
    return { display, x11, shoot: (name, size) => shoot(display, name, size) };
  }

  /** Starts the app as a person would. */
  launch(profile, { screen, args = [], env = {} } = {}) {
    return this.#start(program, [...this.#flags(profile), ...args], { ...this.#environment(screen), ...env });
  }

  /** Opens a window of a profile on a screen of its own, with its page in reach. */
  async open(profile, { args = [] } = {}) {
    const screen = await this.screen();
    const [port, native] = [await freePort(), await freePort()];
    const base = `http://127.0.0.1:${port}`;
    const child = this.#start(driver, ['--port', port, '--native-port', native], this.#environment(screen));
    await until('the driver to be ready', async () => {
      child.stillRuns();
      return (await fetch(`${base}/status`)).ok;
    });
    const page = await Page.open(base, program, [...this.#flags(profile), ...args]);
    const pid = this.pid(profile);
    const shown = async () => (await screen.x11.windows()).find((window) => window.pid === pid);
    const { id } = await until('the window to show itself', shown);
    return {
      page,
      pid,
      screen,
      shoot: async (name) => screen.shoot(name, await page.js('return [innerWidth, innerHeight]')),
      kill: () => process.kill(pid, 'SIGKILL'),
      close: () => screen.x11.requestClose(id),
      ended: (ms) => until(`process ${pid} to end`, () => !alive(pid), ms),
    };
  }

  /** The process that runs a profile. */
  pid(profile) {
    return this.read(profile, 'peer.json').pid;
  }

  read(profile, file) {
    return JSON.parse(readFileSync(path.join(this.profileDir(profile), file), 'utf8'));
  }

  profileDir(profile) {
    return path.join(this.dataDir, 'profiles', profile);
  }

  async end() {
    for (const x11 of this.#displays) x11.close();
    // The last started first, so that windows end before their screens.
    for (const group of this.#groups.splice(0).reverse()) await endGroup(group);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #flags(profile) {
    return ['--profile', profile, '--data-dir', this.dataDir, '--no-multicast', '--listen', '/ip4/127.0.0.1/tcp/0'];
  }

  #environment(screen) {
    const { WAYLAND_DISPLAY: _, DISPLAY: __, ...rest } = process.env;
    return {
      ...rest,
      ...(screen && { DISPLAY: `:${screen.display}` }),
      // The web engine as it is on a computer without a graphics card, and no bus or folder of the person who tests.
      WEBKIT_DISABLE_DMABUF_RENDERER: '1',
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      NO_AT_BRIDGE: '1',
      GDK_BACKEND: 'x11',
      XDG_CONFIG_HOME: path.join(this.directory, 'config'),
      XDG_DATA_HOME: path.join(this.directory, 'share'),
      XDG_CACHE_HOME: path.join(this.directory, 'cache'),
    };
  }

  /** In a group of its own, with its own log: an orphan must not hold our pipes. */
  #start(command, args, env, more = []) {
    const log = path.join(this.directory, `${path.basename(command)}-${this.#groups.length}.log`);
    const file = openSync(log, 'a');
    const child = spawn(command, args.map(String), {
      env: Object.keys(env).length > 0 ? env : process.env,
      detached: true,
      stdio: ['ignore', file, file, ...more],
    });
    closeSync(file);
    child.log = log;
    child.said = () => readFileSync(log, 'utf8');
    let exit;
    child.on('error', (error) => (exit = error.message)); // there is no such program
    child.once('exit', (code, signal) => (exit = code ?? signal));
    child.stillRuns = () => {
      if (exit !== undefined) throw new Error(`${command} ended: ${exit}`);
    };
    /** The exit code, or the name of the signal. */
    child.exited = (ms = 10_000) => until(`${path.basename(command)} to exit`, () => exit, ms, (code) => code !== undefined);
    if (child.pid) this.#groups.push(child.pid);
    return child;
  }
}

/** What is on a screen, as a picture for people; without a window manager, a window stands at its upper left. */
async function shoot(display, name, [width, height]) {
  const window = ['-window', 'root', '-crop', `${width}x${height}+0+0`, '+repage'];
  await promisify(execFile)('import', ['-display', `:${display}`, ...window, path.join(pictures, `desktop-${name}.png`)]);
}

export function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function endGroup(group) {
  try {
    process.kill(-group, 'SIGTERM');
    await until(`group ${group} to end`, () => !alive(-group), 5_000);
  } catch {
    killGroup(group);
  }
}

function killGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // it has ended
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
