/**
 * The two spellings of a Phoenix message: arrays with `vsn=2.0.0` (supabase-js), objects with `vsn=1.0.0` (the Python client),
 * and the binary frames in which supabase-js sends broadcasts.
 */
const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST = 4;
const JSON_ENCODING = 1;

function checked(message) {
  const { topic, event, payload } = message;
  if (typeof topic !== "string" || typeof event !== "string")
    throw new Error("topic and event must be texts");
  if (payload === null || typeof payload !== "object") throw new Error("payload must be an object");
  return message;
}

/** Header: kind, lengths of join ref, ref, topic, event and metadata, encoding; then those parts, then the payload. */
function decodeBinary(frame) {
  if (frame[0] !== USER_BROADCAST_PUSH || frame.length < 7) throw new Error("unknown binary frame");
  let offset = 7;
  const [joinRef, ref, topic, event] = [1, 2, 3, 4, 5].map((place) => {
    const part = frame.toString("utf8", offset, offset + frame[place]);
    offset += frame[place];
    return part;
  });
  const body = frame.subarray(offset);
  const payload = frame[6] === JSON_ENCODING ? JSON.parse(body.toString("utf8")) : Buffer.from(body);
  return checked({
    joinRef: joinRef || null,
    ref: ref || null,
    topic,
    event: "broadcast",
    payload: { type: "broadcast", event, payload },
  });
}

/**
 * Reads a frame.
 *
 * @param {Buffer} frame
 * @param {boolean} isBinary
 * @param {string} version "1.0.0" or "2.0.0".
 * @throws {Error} when it is no message.
 */
export function decode(frame, isBinary, version) {
  if (isBinary) return decodeBinary(frame);
  const message = JSON.parse(frame.toString("utf8"));
  if (version === "1.0.0") {
    const { join_ref: joinRef = null, ref = null, topic, event, payload } = message ?? {};
    return checked({ joinRef, ref, topic, event, payload });
  }
  if (!Array.isArray(message) || message.length !== 5) throw new Error("a message has five members");
  const [joinRef, ref, topic, event, payload] = message;
  return checked({ joinRef, ref, topic, event, payload });
}

/** Writes a message as one text frame. */
export function encode({ joinRef = null, ref = null, topic, event, payload }, version) {
  return version === "1.0.0"
    ? JSON.stringify({ topic, event, payload, ref, join_ref: joinRef })
    : JSON.stringify([joinRef, ref, topic, event, payload]);
}

/** A broadcast of bytes, which only the second version can say. */
export function encodeBytes(topic, event, bytes) {
  const [topicBytes, eventBytes] = [Buffer.from(topic), Buffer.from(event)];
  const header = Buffer.from([USER_BROADCAST, topicBytes.length, eventBytes.length, 0, 0]);
  return Buffer.concat([header, topicBytes, eventBytes, bytes]);
}
