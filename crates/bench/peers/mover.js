// One who moves in a room of a server, and sees the others move. Prints `ready` once everybody is seen; a line on its input
// makes it move, or be quiet where it has no move to make; when that is over and the last are heard, it prints what it did and
// when, by the monotonic clock that all processes of a computer share, and ends with its input.
//
//   node mover.js SYSTEM PORT NUMBER PEERS COUNT EVERY_MS
import { createInterface } from "node:readline";

import { presence as whole } from "./trace.js";

const [system, port] = process.argv.slice(2);
const [number, peers, count, every] = process.argv.slice(4).map(Number);
// For the last moves of the others.
const GRACE_MS = 1_000;

const now = () => Number(process.hrtime.bigint());
const presence = (x) => ({ number, ...whole({ x, y: 300.5 }) });

const sent = [];
const heard = Array.from({ length: peers }, () => []);
let known = new Set([number]);
const see = (of, x) => {
  const at = now();
  if (of === number) return;
  known.add(of);
  if (x >= 1) heard[of].push([x - 1.25, at]);
};

// Ends what it says of itself.
let quiet = () => {};

async function awareness(make) {
  const Y = await import("yjs");
  const awareness = await make(new Y.Doc());
  awareness.on("change", ({ added, updated }) => {
    for (const id of added.concat(updated)) {
      const state = awareness.getStates().get(id);
      if (state?.cursor) see(state.number, state.cursor.x);
    }
  });
  awareness.setLocalState(presence(0));
  return (x) => awareness.setLocalStateField("cursor", { x, y: 300.5 });
}

const begin = {
  "y-websocket": () =>
    awareness(async (doc) => {
      const [{ WebsocketProvider }, { WebSocket }] = [await import("y-websocket"), await import("ws")];
      const options = { WebSocketPolyfill: WebSocket, disableBc: true };
      return new WebsocketProvider(`ws://127.0.0.1:${port}`, "bench", doc, options).awareness;
    }),
  Hocuspocus: () =>
    awareness(async (document) => {
      const { HocuspocusProvider, HocuspocusProviderWebsocket } = await import("@hocuspocus/provider");
      const { WebSocket } = await import("ws");
      const websocketProvider = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: WebSocket });
      const provider = new HocuspocusProvider({ websocketProvider, name: "bench", document });
      provider.attach();
      return provider.awareness;
    }),
  async "socket.io"() {
    const { io } = await import("socket.io-client");
    const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"] });
    socket.on("move", (move) => see(move.number, move.cursor.x));
    const timer = setInterval(() => socket.emit("move", presence(0)), 200);
    quiet = () => clearInterval(timer);
    return (x) => {
      quiet();
      socket.emit("move", { number, cursor: { x, y: 300.5 } });
    };
  },
};

const move = await begin[system]();
const waiting = setInterval(() => {
  if (known.size < peers) return;
  clearInterval(waiting);
  console.log("ready");
}, 20);

const moves = () => {
  if (count === 0) return quiet();
  const turn = setInterval(() => {
    sent.push(now());
    move(sent.length - 1 + 1.25);
    if (sent.length < count) return;
    clearInterval(turn);
    setTimeout(() => console.log(JSON.stringify({ sent, heard })), GRACE_MS);
  }, every);
};

createInterface({ input: process.stdin })
  // One after the other, as people do not move in step.
  .on("line", () => setTimeout(moves, (every * number) / peers))
  .on("close", () => process.exit());
