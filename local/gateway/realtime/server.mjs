import { WebSocketServer } from "ws";
import { log } from "../log.mjs";
import { createAuthority } from "./authority.mjs";
import { createChannels } from "./channels.mjs";
import { createFeed } from "./feed.mjs";
import { decode, encode } from "./frames.mjs";
import { createHub } from "./hub.mjs";

const PATH = "/realtime/v1/websocket";
const VERSIONS = ["1.0.0", "2.0.0"];
const LARGEST_FRAME = 4_000_000;
const MOST_WAITING = 1_000;
/** A client that does not read is cut off before its backlog fills our memory. */
const LARGEST_BACKLOG = 16_000_000;
/** Clients send a heartbeat every 25 seconds. */
const SILENCE_MS = 60_000;
const GOING_AWAY = 1001;
const TOO_MUCH = 1008;
const INTERNAL_ERROR = 1011;

function refuse(socket, status, body) {
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/**
 * Realtime's WebSocket: broadcasts on private and public channels, over the protocol of Phoenix channels. Presence and Postgres
 * changes are not imitated.
 *
 * @param {{connection: object, settings: object}} parts
 * @returns {{upgrade: Function, close: Function}} `upgrade` for the HTTP server's event of that name.
 */
export function createRealtime({ connection, settings }) {
  const server = new WebSocketServer({ noServer: true, maxPayload: LARGEST_FRAME, perMessageDeflate: false });
  const hub = createHub({ onIdle: () => feed.rest() });
  const feed = createFeed(settings.databaseUrl, { onMessage: hub.publishRow, onGap: hub.loseAll });
  const parts = { authority: createAuthority({ connection, settings }), feed, hub, settings };

  const watch = setInterval(() => {
    for (const socket of server.clients) if (Date.now() - socket.heardAt > SILENCE_MS) socket.close(1000);
  }, SILENCE_MS / 4);
  watch.unref();

  function upgrade(request, socket, head) {
    socket.on("error", () => socket.destroy());
    // Null for what is no address, such as `//`.
    const url = URL.parse(request.url, "http://localhost");
    if (url?.pathname !== PATH)
      return refuse(socket, "404 Not Found", { message: "no Route matched with those values" });
    const key = url.searchParams.get("apikey") ?? request.headers.apikey;
    if (![settings.anonKey, settings.serviceKey].includes(key))
      return refuse(socket, "401 Unauthorized", {
        message: key ? "Invalid API key" : "No API key found in request",
      });
    const version = url.searchParams.get("vsn") ?? "1.0.0";
    if (!VERSIONS.includes(version)) return refuse(socket, "403 Forbidden", { message: "unsupported vsn" });
    return server.handleUpgrade(request, socket, head, (connected) => serve(connected, key, version));
  }

  function serve(socket, key, version) {
    socket.heardAt = Date.now();
    const sendFrame = ({ data, binary }) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > LARGEST_BACKLOG) socket.terminate();
      else socket.send(data, { binary });
    };
    const client = {
      key,
      version,
      sendFrame,
      send: (message) => sendFrame({ data: encode(message, version), binary: false }),
    };
    const channels = createChannels(parts, client);
    let waiting = 0;
    // One after the other: what follows a join must find it decided.
    let last = Promise.resolve();
    socket.on("error", (error) =>
      log("info", "realtime_socket", { code: error.code, message: error.message }),
    );
    socket.on("message", (data, isBinary) => {
      socket.heardAt = Date.now();
      let message;
      try {
        message = decode(data, isBinary, version);
      } catch {
        // The process behind a hosted connection ends on what it cannot read, and takes the connection with it.
        socket.close(INTERNAL_ERROR);
        return;
      }
      waiting += 1;
      if (waiting > MOST_WAITING) socket.close(TOO_MUCH);
      last = last
        .then(() => (socket.readyState === socket.OPEN ? channels.receive(message, data.length) : undefined))
        .catch((error) => log("error", "realtime_message", { code: error.code, message: error.message }))
        .finally(() => {
          waiting -= 1;
        });
    });
    socket.on("close", () => {
      last = last.finally(() => channels.leaveAll());
    });
  }

  function close() {
    clearInterval(watch);
    for (const socket of server.clients) socket.close(GOING_AWAY);
    feed.rest();
    const cut = setTimeout(() => {
      for (const socket of server.clients) socket.terminate();
    }, 200);
    cut.unref();
  }

  return { upgrade, close };
}
