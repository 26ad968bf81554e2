import postgres from "postgres";

/** A connection that was lost in the middle of a transaction: nothing more may be sent for it. */
function lostConnection() {
  return Object.assign(new Error("the database connection was lost"), { code: "CONNECTION_CLOSED" });
}

const REMEMBERED = 500;

/**
 * Tells whether a text was seen twice before. Only what comes again is worth a prepared statement, which its connection
 * keeps for ever; the texts that clients make up are endless.
 */
function createMemory(size) {
  const seen = new Map();
  const usual = new Set();
  return (text) => {
    if (usual.has(text)) return true;
    const times = (seen.get(text) ?? 0) + 1;
    seen.delete(text);
    seen.set(text, times);
    if (seen.size > size) seen.delete(seen.keys().next().value);
    if (times > 2 && usual.size < size) usual.add(text);
    return times > 2 && usual.has(text);
  };
}

/**
 * A pool whose members are one connection each, for Kysely's postgres.js dialect, which needs `reserve()`.
 *
 * The driver's own `reserve()` (3.4.8) waits for ever when it has to reconnect, and hands out dead connections after
 * one was lost; a restarted Postgres would hang the gateway. Here a member reconnects by itself at its next query,
 * and a borrower whose connection was lost gets errors until he gives it back, so that no statement of his
 * transaction can run outside of it on the new connection. The driver may also forget a statement that was sent while
 * its connection died: the loss answers it, and the driver's client goes with it, lest it remember the statement later.
 *
 * @param {string} url
 * @param {number} size the most connections that are open at once.
 * @param {object} options of the driver.
 */
export function createPool(url, size, options) {
  const isUsual = createMemory(REMEMBERED);
  const idle = [];
  const waiting = [];
  const members = Array.from({ length: size }, () => {
    const member = { losses: 0, sql: null, fail: null };
    connect(member);
    return member;
  });
  idle.push(...members);

  function connect(member) {
    const sql = postgres(url, {
      ...options,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onclose: () => {
        if (member.sql !== sql) return;
        member.losses += 1;
        if (member.fail === null) return;
        connect(member);
        member.fail(lostConnection());
        sql.end({ timeout: 0 }).catch(() => {});
      },
    });
    member.sql = sql;
  }

  /** Waits for what was sent, and fails when the connection goes before the answer comes. */
  async function orLost(member, answer) {
    const lost = new Promise((_resolve, reject) => {
      member.fail = reject;
    });
    try {
      return await Promise.race([answer, lost]);
    } finally {
      member.fail = null;
    }
  }

  const send = (member, { text, values, prepare = isUsual(text) }) =>
    member.sql.unsafe(text, values, { prepare });

  /** Sends statements without waiting in between. The first that fails is the one that is told. */
  async function sendTogether(member, statements) {
    const answers = await Promise.allSettled(statements.map((statement) => send(member, statement)));
    const failed = answers.find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
    return answers.map(({ value }) => value);
  }

  function giveBack(member) {
    const next = waiting.shift();
    if (next) next(member);
    else idle.push(member);
  }

  async function reserve() {
    const member = idle.pop() ?? (await new Promise((resolve) => waiting.push(resolve)));
    const losses = member.losses;
    return {
      unsafe: async (text, values, prepare = true) => {
        if (member.losses !== losses) throw lostConnection();
        return orLost(member, send(member, { text, values, prepare }));
      },
      together: async (statements) => {
        if (member.losses !== losses) throw lostConnection();
        return orLost(member, sendTogether(member, statements));
      },
      /** The columns that a query would have, without running it. */
      describe: async (text) => {
        if (member.losses !== losses) throw lostConnection();
        return (await orLost(member, member.sql.unsafe(text).describe())).columns;
      },
      release: () => giveBack(member),
    };
  }

  const end = () => Promise.all(members.map((member) => member.sql.end({ timeout: 0.5 })));
  return Object.assign(() => {}, { reserve, end });
}
