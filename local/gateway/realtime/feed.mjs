import postgres from "postgres";
import { log } from "../log.mjs";

const PUBLICATION = "supabase_realtime_messages_publication";
const RETRY_MS = 300;
const CONFIRM_MS = 10_000;
const BETWEEN_EPOCHS_MS = Date.UTC(2000, 0, 1);
const TEXT = 0x74;

/** Reads the columns of a Relation message of pgoutput: id, schema, table, identity, then the columns. */
function readRelation(message) {
  let offset = 5;
  const word = () => {
    const end = message.indexOf(0, offset);
    const text = message.toString("utf8", offset, end);
    offset = end + 1;
    return text;
  };
  const schema = word();
  const table = word();
  const columns = Array(message.readUInt16BE(offset + 1));
  offset += 3;
  for (let index = 0; index < columns.length; index += 1) {
    offset += 1;
    columns[index] = word();
    offset += 8;
  }
  return { id: message.readUInt32BE(1), schema, table, columns };
}

/** Reads the row of an Insert message: relation, 'N', then each column as null or text. */
function readRow(message, columns) {
  const row = {};
  let offset = 8;
  for (const column of columns) {
    const kind = message[offset];
    offset += 1;
    row[column] = null;
    if (kind !== TEXT) continue;
    const length = message.readUInt32BE(offset);
    row[column] = message.toString("utf8", offset + 4, offset + 4 + length);
    offset += 4 + length;
  }
  return row;
}

function confirmation(position) {
  const answer = Buffer.alloc(34);
  answer[0] = 0x72;
  for (const place of [1, 9, 17]) answer.writeBigUInt64BE(position, place);
  answer.writeBigInt64BE(BigInt(Date.now() - BETWEEN_EPOCHS_MS) * 1000n, 25);
  return answer;
}

/**
 * What is written to realtime.messages, in the order of the commits, as hosted Realtime gets it: by logical replication with
 * a temporary slot. A listening connection (NOTIFY) would make every commit wait for a lock, and asking for new ids would
 * miss messages of transactions that commit late.
 *
 * The feed is open while it is wanted. After a lost connection it opens again by itself; what was committed in between is
 * lost to it, so `onGap` is called.
 *
 * @param {string} url address as superuser.
 * @param {{onMessage: Function, onGap: Function}} handlers onMessage gets the row, all columns as texts.
 */
export function createFeed(url, { onMessage, onGap }) {
  let wanted = false;
  let opening = null;
  let current = null;
  let timer = null;

  async function open() {
    const session = { sql: null, stream: null, position: 0n, relations: new Map(), confirm: null };
    const lost = () => {
      if (session.ended) return;
      close(session);
      if (current !== session) return;
      current = null;
      log("warning", "realtime_feed_lost");
      onGap();
      if (wanted) retry();
    };
    session.sql = postgres(url, {
      max: 1,
      fetch_types: false,
      idle_timeout: null,
      max_lifetime: null,
      connect_timeout: 5,
      onnotice: () => {},
      connection: { application_name: "realtime_replication_connection", replication: "database" },
      onclose: lost,
      no_subscribe: true,
    });
    try {
      await ensurePublication(session.sql);
      const slot = `supabase_realtime_messages_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
      await session.sql.unsafe(
        `CREATE_REPLICATION_SLOT ${slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
      );
      session.stream = await session.sql
        .unsafe(
          `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names '${PUBLICATION}')`,
        )
        .writable();
    } catch (error) {
      close(session);
      throw error;
    }
    session.stream.on("data", (chunk) => receive(session, chunk));
    session.stream.on("error", lost);
    session.stream.on("close", lost);
    session.confirm = setInterval(() => confirm(session), CONFIRM_MS);
    current = session;
    log("info", "realtime_feed_open");
  }

  function confirm(session) {
    if (!session.ended) session.stream.write(confirmation(session.position));
  }

  function receive(session, chunk) {
    if (chunk[0] === 0x6b) {
      session.position = chunk.readBigUInt64BE(1);
      if (chunk[17]) confirm(session);
      return;
    }
    if (chunk[0] !== 0x77) return;
    session.position = chunk.readBigUInt64BE(9);
    const message = chunk.subarray(25);
    const kind = String.fromCharCode(message[0]);
    if (kind === "R") {
      const relation = readRelation(message);
      session.relations.set(relation.id, relation);
    } else if (kind === "I") {
      const relation = session.relations.get(message.readUInt32BE(1));
      onMessage(readRow(message, relation.columns));
    }
  }

  function close(session) {
    session.ended = true;
    clearInterval(session.confirm);
    // Nothing is said to the server: it ends the slot with the connection.
    session.sql.end({ timeout: 0 }).catch(() => {});
  }

  function retry() {
    timer ??= setTimeout(() => {
      timer = null;
      if (wanted)
        ready().catch((error) =>
          log("warning", "realtime_feed", { code: error.code, message: error.message }),
        );
    }, RETRY_MS);
  }

  /** Resolves when the feed is open; opens it when it is not. Rejects when the database cannot be reached. */
  function ready() {
    wanted = true;
    if (current) return Promise.resolve();
    opening ??= open()
      .catch((error) => {
        if (wanted) retry();
        throw error;
      })
      .finally(() => {
        opening = null;
        if (!wanted) rest();
      });
    return opening;
  }

  /** Closes the feed until it is wanted again. */
  function rest() {
    wanted = false;
    clearTimeout(timer);
    timer = null;
    const session = current;
    current = null;
    if (session) close(session);
  }

  return { ready, rest, isOpen: () => current !== null };
}

/** Hosted Realtime makes the publication when it first connects, and so does the gateway. */
async function ensurePublication(sql) {
  const [found] = await sql.unsafe(`SELECT 1 FROM pg_publication WHERE pubname = '${PUBLICATION}'`);
  if (found) return;
  try {
    await sql.unsafe(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE realtime.messages`);
  } catch (error) {
    if (!["42710", "23505"].includes(error.code)) throw error;
  }
}
