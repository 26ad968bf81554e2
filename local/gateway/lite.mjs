import { App } from "@supabase/lite";
import { createAdminUsers } from "./admin_users.mjs";
import { createAuth } from "./auth.mjs";
import { GatewayConnection } from "./connection.mjs";
import { prepareDatabase } from "./database.mjs";
import { log } from "./log.mjs";
import { createMailer } from "./mailer.mjs";
import { keepPartitions } from "./realtime/partitions.mjs";
import { createRealtime } from "./realtime/server.mjs";
import { createRest } from "./rest/server.mjs";
import { createStorage } from "./storage.mjs";

const RELOAD_DELAY_MS = 20;
const RETRY_DELAY_MS = 200;

/**
 * Makes Auth, REST, Realtime and Storage over one database.
 *
 * @param {object} settings see settings.mjs.
 * @returns {Promise<{auth: Function, rest: Function, adminUsers: Function, realtime: object, storage: Function,
 *   close: () => Promise<void>}>} handlers from Request to Response; realtime see realtime/server.mjs.
 */
export async function createSupabase(settings) {
  const connection = new GatewayConnection({
    url: settings.databaseUrl,
    poolSize: settings.poolSize,
    searchPath: settings.searchPath,
  });
  const app = new App({
    connection,
    // REST is our own, see docs/decisions.
    api: { enabled: false },
    auth: {
      ...settings.auth,
      jwt_secret: settings.jwtSecret,
      publishable_key: settings.anonKey,
      secret_key: settings.serviceKey,
    },
    // The migrations' own history belongs to the Supabase CLI; the library would make its table as superuser.
    db: { migrations: { enabled: false } },
    // The library's own Storage checks the policies in one transaction and writes past them in another: see storage.mjs.
    storage: { enabled: false },
    options: { server: { disableStudio: true, disableFallback: true } },
  });
  app._mailer = createMailer(settings);
  await app.ensureSystemSchema();
  await prepareDatabase(connection.driver);
  const stopPartitions = await keepPartitions(connection.driver);
  const rest = await createRest({ pool: connection.connections, settings });
  await watchCatalogue(connection.driver, rest);
  const realtime = createRealtime({ connection, settings });
  return {
    auth: createAuth({ app, connection, settings }),
    rest: rest.handle,
    adminUsers: createAdminUsers({ database: connection.driver, settings }),
    storage: await createStorage({ connection, settings }),
    realtime,
    close: () => {
      stopPartitions();
      return connection.close();
    },
  };
}

/**
 * Reads the catalogue again when a migration, or `notify pgrst, 'reload schema'`, says so, and after a lost connection;
 * until it could be read.
 */
async function watchCatalogue(driver, rest) {
  let timer = null;
  const reload = (delay) => {
    timer ??= setTimeout(async () => {
      timer = null;
      await rest.reload().catch((error) => {
        log("warning", "catalogue_reload", { message: error.message });
        reload(RETRY_DELAY_MS);
      });
    }, delay).unref();
  };
  const changed = () => reload(RELOAD_DELAY_MS);
  await driver.listen("pgrst", changed, changed);
}
