// The servers that Parlor is measured beside, each as its own documentation starts it, on a free port of loopback, without
// logs and without a store. Prints the port, and ends with its input.
//
//   node server.js SYSTEM
import { createServer } from "node:http";

const begin = {
  async "y-websocket"() {
    const { WebSocketServer } = await import("ws");
    const { setupWSConnection } = await import("@y/websocket-server/utils");
    const http = createServer();
    new WebSocketServer({ server: http }).on("connection", setupWSConnection);
    return listen(http);
  },
  async Hocuspocus() {
    const { Server } = await import("@hocuspocus/server");
    const server = new Server({ address: "127.0.0.1", port: 0, quiet: true, stopOnSignals: false });
    await server.listen();
    return server.address.port;
  },
  async "socket.io"() {
    const { Server } = await import("socket.io");
    const http = createServer();
    new Server(http).on("connection", (socket) => {
      socket.join("bench");
      socket.on("move", (move) => socket.to("bench").emit("move", move));
    });
    return listen(http);
  },
};

const listen = (http) =>
  new Promise((done) => http.listen(0, "127.0.0.1", () => done(http.address().port)));

console.log(await begin[process.argv[2]]());
process.stdin.on("end", () => process.exit()).resume();
