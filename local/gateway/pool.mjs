import postgres from "postgres";

/** A connection that was lost in the middle of a transaction: nothing more may be sent for it. */
function lostConnection() {
  return Object.assign(new Error("the database connection was lost"), { code: "CONNECTION_CLOSED" });
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

  /** Runs one statement, and fails when its connection goes before the answer comes. */
  async function ask(member, text, parameters) {
    const lost = new Promise((_resolve, reject) => {
      member.fail = reject;
    });
    try {
      return await Promise.race([member.sql.unsafe(text, parameters, { prepare: true }), lost]);
    } finally {
      member.fail = null;
    }
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
      unsafe: async (text, parameters) => {
        if (member.losses !== losses) throw lostConnection();
        return ask(member, text, parameters);
      },
      release: () => giveBack(member),
    };
  }

  const end = () => Promise.all(members.map((member) => member.sql.end({ timeout: 0.5 })));
  return Object.assign(() => {}, { reserve, end });
}
