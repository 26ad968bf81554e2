// Subscribers for bench/realtime.py: joins a channel many times over, then says what came to each of them, and when.
// Environment: URL (with key and version), TOPIC, TOKEN, COUNT, MESSAGES (how many each waits for).
// Prints {"joined": n}, then {"messages": [[[name, milliseconds], ...], ...]} with a list per subscriber. A message's name is what it
// says: the levels it changed, "variant=on hand", in the order of the variants.
import { createRequire } from "node:module";

const { WebSocket } = createRequire(new URL("../local/package.json", import.meta.url))("ws");
const { URL: url, TOPIC: topic, TOKEN: token, COUNT: count, MESSAGES: wanted } = process.env;
const PATIENCE_MS = 60_000;

const now = () => performance.timeOrigin + performance.now();
const messages = Array.from({ length: Number(count) }, () => []);
let complete = 0;
let finish;
const done = new Promise((resolve) => {
  finish = resolve;
});

function name(data) {
  const { changes } = JSON.parse(data)[4].payload;
  return changes === null ? "catch up" : changes.map((change) => `${change.variant_id}=${change.on_hand}`).sort().join(" ");
}

function subscribe(index) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("error", reject);
    socket.on("open", () => {
      const payload = { config: { private: true }, access_token: token };
      socket.send(JSON.stringify(["1", "1", `realtime:${topic}`, "phx_join", payload]));
    });
    socket.once("message", (data) => {
      const answer = JSON.parse(data);
      if (answer[4].status !== "ok") return reject(new Error(JSON.stringify(answer)));
      // Read when all have come, so that reading one does not delay the next.
      socket.on("message", (text) => {
        messages[index].push([text, now()]);
        if (messages[index].length === Number(wanted) && ++complete === messages.length) finish();
      });
      return resolve(socket);
    });
  });
}

const sockets = [];
// As many at once as browsers would after a restart; all of them do get in.
for (let index = 0; index < messages.length; index += 20) {
  const batch = messages.slice(index, index + 20).map((_, offset) => subscribe(index + offset));
  sockets.push(...(await Promise.all(batch)));
}
process.stdout.write(`${JSON.stringify({ joined: sockets.length })}\n`);
await Promise.race([done, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
// A message too many would come now.
await new Promise((resolve) => setTimeout(resolve, 200));
const named = messages.map((each) => each.map(([text, came]) => [name(text), came]));
process.stdout.write(`${JSON.stringify({ messages: named })}\n`, () => process.exit(0));
