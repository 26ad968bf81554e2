import { encode, encodeBytes } from "./frames.mjs";

const REST_AFTER_MS = 1_000;

/**
 * Who listens where. Public and private channels of one name are two different rooms.
 *
 * @param {{onIdle: Function}} handlers onIdle is called when nobody has listened or asked to for a second.
 */
export function createHub({ onIdle }) {
  const rooms = new Map();
  let joining = 0;
  let resting = null;

  const key = (isPrivate, name) => `${isPrivate ? "private" : "public"} ${name}`;

  function add(channel) {
    const place = key(channel.private, channel.name);
    if (!rooms.has(place)) rooms.set(place, new Set());
    rooms.get(place).add(channel);
  }

  function remove(channel) {
    const place = key(channel.private, channel.name);
    const room = rooms.get(place);
    if (!room?.delete(channel)) return;
    if (room.size === 0) rooms.delete(place);
    settle();
  }

  /** Runs what lets somebody in, however long it takes: the feed opens for him, so it may not rest meanwhile. */
  async function whileJoining(work) {
    joining += 1;
    clearTimeout(resting);
    try {
      return await work();
    } finally {
      joining -= 1;
      settle();
    }
  }

  /** Nobody there: after a while, the feed may rest. */
  function settle() {
    clearTimeout(resting);
    if (rooms.size > 0 || joining > 0) return;
    resting = setTimeout(onIdle, REST_AFTER_MS);
    resting.unref();
  }

  /** Every frame is written once, however many listen. */
  function deliver(room, frameFor, except) {
    const frames = new Map();
    for (const channel of room) {
      if (channel === except) continue;
      const { version } = channel.client;
      if (!frames.has(version)) frames.set(version, frameFor(channel.topic, version));
      const frame = frames.get(version);
      if (frame) channel.client.sendFrame(frame);
    }
  }

  /**
   * Hands a client's broadcast on.
   *
   * @param {object | null} except the channel that it came from, when it does not want to hear itself.
   */
  function publish(isPrivate, name, { event, payload }, except) {
    const room = rooms.get(key(isPrivate, name));
    if (!room) return;
    deliver(
      room,
      (topic, version) => {
        if (!Buffer.isBuffer(payload)) {
          const message = { topic, event: "broadcast", payload: { type: "broadcast", event, payload } };
          return { data: Buffer.from(encode(message, version)), binary: false };
        }
        return version === "2.0.0" ? { data: encodeBytes(topic, event, payload), binary: true } : null;
      },
      except,
    );
  }

  /** Hands on what the database sent: a row of realtime.messages, whose payload is JSON already. */
  function publishRow(row) {
    const room = rooms.get(key(row.private === "t", row.topic));
    if (!room || row.extension !== "broadcast" || row.event === null || row.payload === null) return;
    deliver(room, (topic, version) => {
      const mark = JSON.stringify({ type: "broadcast", event: row.event, meta: { id: row.id } }).slice(0, -1);
      const body = `${mark},"payload":${row.payload}}`;
      const text =
        version === "1.0.0"
          ? `{"topic":${JSON.stringify(topic)},"event":"broadcast","payload":${body},"ref":null,"join_ref":null}`
          : `[null,null,${JSON.stringify(topic)},"broadcast",${body}]`;
      return { data: Buffer.from(text), binary: false };
    });
  }

  /** The database was away, and what it sent meanwhile is lost: every channel must be joined anew, and caught up. */
  function loseAll() {
    for (const room of [...rooms.values()]) for (const channel of [...room]) channel.lose();
  }

  return { add, remove, whileJoining, publish, publishRow, loseAll };
}
