/** The peers of one case, over loopback. */
import { copyFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Peer } from '../peer.js';
import { until } from '../until.js';

export class World {
  #peers = new Map();

  /** Starts the peers of a case, and links those who are to be. `start` starts the first one. */
  static async of(steps, start) {
    const world = new World();
    try {
      await world.#begin(new Set(steps.map(({ by }) => by)), start);
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async #begin(actors, start) {
    const me = await start();
    this.#peers.set('me', me);
    if (actors.has('far')) this.#peers.set('far', await Peer.start(me));
    if (actors.has('twin')) this.#peers.set('twin', await this.#twin(me));
    const links = this.#peers.size - 1;
    if (actors.has('stranger')) this.#peers.set('stranger', await Peer.start());
    await until('they are linked', async () => (await me.api('/peers')).peers.length >= links);
  }

  /** Another computer, to which somebody took their key. */
  async #twin(me) {
    const twin = await Peer.start();
    await twin.end();
    const key = async ({ data }) => join(data, (await readdir(data, { recursive: true })).find((file) => file.endsWith('identity.key')));
    const there = await key(twin);
    await copyFile(await key(me), there);
    await rm(join(dirname(there), 'profile.json'));
    return twin.startAgain(me);
  }

  peer(who) {
    return this.#peers.get(who);
  }

  /** User ids by who it is. */
  async names(guests) {
    const names = new Map();
    for (const [who, peer] of this.#peers) names.set(who, (await peer.api('/profile')).userId);
    for (const id of guests) {
      const { body } = await this.peer('me').post('/rooms/names/join', {}, { id, name: id });
      names.set(id, body.memberId);
    }
    for (const id of guests) await this.peer('me').post('/rooms/names/leave', {}, { id, name: id });
    // It would be one of the rooms that a case counts.
    const { http, token } = this.peer('me');
    await fetch(`${http}/rooms/names`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    return names;
  }

  async does(who, deed) {
    const peer = this.peer(who);
    if (deed === 'crash') peer.process.kill('SIGKILL');
    else if (deed === 'meet') await peer.post('/peers', { addr: this.peer('me').listen[0] });
    else throw new Error(`nobody can do ${deed}`);
  }

  async end() {
    await Promise.all([...this.#peers.values()].map((peer) => peer.stop()));
  }
}
