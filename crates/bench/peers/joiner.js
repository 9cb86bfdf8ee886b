// People in rooms of a server, and somebody who comes. A host has so many people in each room over one connection a room, says
// `ready`, and stays. A newcomer enters one room after the other and prints how many milliseconds it took from the open
// connection to the last of them. Either ends with its input.
//
//   node joiner.js host|newcomer SYSTEM PORT MEMBERS ROOMS
import { WebSocket } from "ws";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";

import { presence } from "./trace.js";

const [part, system, port] = process.argv.slice(2);
const [members, rooms] = process.argv.slice(5).map(Number);

// The provider of a room; `open` is called when its connection is.
const enter = {
  async "y-websocket"(room, open) {
    const { WebsocketProvider } = await import("y-websocket");
    const options = { WebSocketPolyfill: WebSocket, disableBc: true };
    const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, room, new Y.Doc(), options);
    provider.on("status", ({ status }) => status === "connected" && open());
    return provider;
  },
  async Hocuspocus(name, open) {
    const { HocuspocusProvider, HocuspocusProviderWebsocket } = await import("@hocuspocus/provider");
    const websocketProvider = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: WebSocket });
    const provider = new HocuspocusProvider({ websocketProvider, name, document: new Y.Doc() });
    provider.on("status", ({ status }) => status === "connected" && open());
    provider.attach();
    return provider;
  },
}[system];

const opened = (room) =>
  new Promise((done) => {
    const provider = enter(room, () => provider.then(done));
  });

async function host() {
  for (let room = 0; room < rooms; room++) {
    const { awareness } = await opened(`room-${room}`);
    awareness.setLocalState(presence());
    for (let member = 1; member < members; member++) {
      const one = new Awareness(new Y.Doc());
      one.setLocalState(presence());
      applyAwarenessUpdate(awareness, encodeAwarenessUpdate(one, [one.clientID]), "host");
      one.destroy();
    }
  }
  // Until the server has them all, which newcomers would have to wait for.
  setTimeout(() => console.log("ready"), 500);
}

async function newcomer() {
  const waited = [];
  for (let room = 0; room < rooms; room++) {
    let begun;
    const provider = await enter(`room-${room}`, () => (begun ??= process.hrtime.bigint()));
    await new Promise((done) => {
      const look = () => provider.awareness.getStates().size >= members + 1 && done();
      provider.awareness.on("change", look);
      provider.awareness.setLocalState(presence());
      look();
    });
    waited.push(Number(process.hrtime.bigint() - begun) / 1e6);
    provider.destroy();
  }
  console.log(JSON.stringify(waited));
}

process.stdin.on("end", () => process.exit()).resume();
await { host, newcomer }[part]();
