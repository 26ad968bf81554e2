import { log } from "../log.mjs";
import { expired, Refusal } from "./authority.mjs";

const PREFIX = "realtime:";
const MOST_CHANNELS = 100;
const MOST_MESSAGES_A_SECOND = 100;
const MOST_BYTES = 3_000_000;
const PATIENCE_MS = 8_000;
const LONGEST_TIMER_MS = 3_600_000;
const UNREACHABLE = "Realtime was unable to connect to the project database";

function within(promise, milliseconds) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * What one client does on one connection: joins channels, sends on them, renews its token, leaves.
 *
 * @param {{authority: object, feed: object, hub: object, settings: object}} parts
 * @param {{send: Function, key: string}} client `send(message)` writes to it; `key` is the project key it came with.
 */
export function createChannels({ authority, feed, hub, settings }, client) {
  const channels = new Map();

  const reply = ({ joinRef, ref, topic }, status, response = {}) =>
    client.send({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } });

  function close(channel, event = "phx_close") {
    if (channels.get(channel.topic) !== channel) return;
    channels.delete(channel.topic);
    clearTimeout(channel.timer);
    hub.remove(channel);
    client.send({ joinRef: channel.joinRef, ref: channel.joinRef, topic: channel.topic, event, payload: {} });
  }

  function system(channel, status, message, extension = "system") {
    const payload = { extension, status, message, channel: channel.name };
    client.send({ joinRef: channel.joinRef, topic: channel.topic, event: "system", payload });
  }

  /** Ends a channel as Realtime does: says why, then closes. */
  function shutDown(channel, message) {
    system(channel, "error", message);
    close(channel);
  }

  /** Looks at the token again when it expires. */
  function watch(channel) {
    clearTimeout(channel.timer);
    const { exp } = channel.claims;
    if (exp === undefined) return;
    channel.timer = setTimeout(
      () => (exp * 1000 <= Date.now() ? shutDown(channel, expired(exp).message) : watch(channel)),
      Math.min(Math.max(exp * 1000 - Date.now(), 0) + 20, LONGEST_TIMER_MS),
    );
    channel.timer.unref();
  }

  async function admit(channel) {
    channel.claims = await authority.identify(channel.token);
    if (!channel.private) return;
    if (!(await authority.mayListen(channel.claims, channel.name)))
      throw new Refusal(
        "Unauthorized",
        `You do not have permissions to read from this Channel topic: ${channel.name}`,
      );
  }

  const join = (message) => hub.whileJoining(() => letIn(message));

  async function letIn(message) {
    const name = message.topic.startsWith(PREFIX) ? message.topic.slice(PREFIX.length) : null;
    if (name === null) return reply(message, "error", { reason: "unmatched topic" });
    const before = channels.get(message.topic);
    if (before) close(before);
    const config = message.payload.config ?? {};
    const token = message.payload.access_token ?? message.payload.user_token;
    const channel = {
      client,
      topic: message.topic,
      name,
      joinRef: message.joinRef ?? message.ref,
      private: config.private === true,
      acknowledges: config.broadcast?.ack === true,
      hearsItself: config.broadcast?.self === true,
      token: typeof token === "string" && !token.startsWith("sb_") ? token : client.key,
      claims: null,
      maySend: null,
      window: { second: 0, messages: 0 },
      timer: null,
      lose: () => close(channel, "phx_error"),
    };
    try {
      if (name === "") throw new Refusal("TopicNameRequired", "You must provide a topic name");
      if (settings.realtime.privateOnly && !channel.private)
        throw new Refusal("PrivateOnly", "This project only allows private channels");
      if (channels.size >= MOST_CHANNELS) throw new Refusal("ChannelRateLimitReached", "Too many channels");
      // The feed first: a message that is committed after the answer must find it open.
      await within(feed.ready(), PATIENCE_MS);
      await admit(channel);
      // It may have been lost while the policies were asked.
      if (!feed.isOpen()) throw new Error("the feed was lost");
    } catch (error) {
      if (!(error instanceof Refusal))
        log("warning", "realtime_join", { code: error.code, message: error.message });
      const reason = error instanceof Refusal ? error.reason : `UnableToConnectToProject: ${UNREACHABLE}`;
      return reply(message, "error", { reason });
    }
    channels.set(channel.topic, channel);
    hub.add(channel);
    watch(channel);
    const changes = Array.isArray(config.postgres_changes) ? config.postgres_changes : [];
    reply(message, "ok", { postgres_changes: changes.map((change, id) => ({ ...change, id })) });
    if (changes.length > 0)
      system(channel, "error", "The local gateway has no Postgres changes", "postgres_changes");
  }

  async function renew(channel, token) {
    if (typeof token !== "string" || token.startsWith("sb_") || token === channel.token) return;
    Object.assign(channel, { token, maySend: null });
    try {
      await admit(channel);
      watch(channel);
    } catch (error) {
      shutDown(channel, error instanceof Refusal ? error.message : UNREACHABLE);
    }
  }

  /** A client's own broadcast. Without the permission it is dropped without a word, as Realtime does. */
  async function broadcast(channel, message) {
    const { event, payload } = message.payload;
    if (channel.private) {
      try {
        channel.maySend ??= await authority.maySend(channel.claims, channel.name);
      } catch (error) {
        log("warning", "realtime_broadcast", { code: error.code, message: error.message });
        return;
      }
      if (!channel.maySend) return;
    }
    hub.publish(
      channel.private,
      channel.name,
      { event: String(event ?? ""), payload },
      channel.hearsItself ? null : channel,
    );
    if (channel.acknowledges) reply(message, "ok");
  }

  function tooMany(channel) {
    const second = Math.floor(Date.now() / 1000);
    if (channel.window.second !== second) channel.window = { second, messages: 0 };
    channel.window.messages += 1;
    return channel.window.messages > MOST_MESSAGES_A_SECOND;
  }

  async function receive(message, bytes) {
    const { topic, event, payload } = message;
    if (topic === "phoenix" && event === "heartbeat") return reply(message, "ok");
    if (event === "phx_join") return join(message);
    const channel = channels.get(topic);
    if (!channel && event === "phx_leave") return reply(message, "ok");
    if (!channel) return reply(message, "error", { reason: "unmatched topic" });
    // What was meant for an earlier stay on the channel is not for this one.
    if (message.joinRef !== null && message.joinRef !== channel.joinRef) return undefined;
    if (event === "phx_leave") {
      reply(message, "ok");
      return close(channel);
    }
    if (tooMany(channel)) return shutDown(channel, "Too many messages per second");
    if (event === "access_token") return renew(channel, payload.access_token);
    if (event === "broadcast") {
      if (bytes <= MOST_BYTES) return broadcast(channel, message);
      if (channel.acknowledges) reply(message, "error", { reason: "payload_size_exceeded" });
    }
    // Whatever else a client says is not answered.
    return undefined;
  }

  function leaveAll() {
    for (const channel of channels.values()) {
      clearTimeout(channel.timer);
      hub.remove(channel);
    }
    channels.clear();
  }

  return { receive, leaveAll };
}
