import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { parse } from "smol-toml";
import { parseSize } from "./storage_upload.mjs";

const CHARACTER_SETS = {
  letters_digits: ["abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"],
  lower_upper_letters_digits: ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"],
  lower_upper_letters_digits_symbols: [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~",
  ],
};

function required(environment, name, check = () => true, hint = "") {
  const value = environment[name];
  if (!value || !check(value)) throw new Error(`${name} is missing or not valid${hint ? `: ${hint}` : ""}`);
  return value;
}

/** `pg-functions://postgres/<schema>/<function>` is the only kind of hook that needs no network. */
function hookFunction(hook) {
  if (!hook?.enabled) return null;
  const match = /^pg-functions:\/\/[^/]+\/([A-Za-z_]\w*)\/([A-Za-z_][\w-]*)$/.exec(hook.uri ?? "");
  if (!match) throw new Error(`hook uri is not pg-functions://<database>/<schema>/<function>: ${hook.uri}`);
  return { schema: match[1], name: match[2], uri: hook.uri };
}

/**
 * Reads the gateway's settings.
 *
 * @param {Record<string, string | undefined>} environment process environment: GATEWAY_DATABASE_URL,
 *   GATEWAY_STORAGE (folder for uploaded files), SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY, SUPABASE_JWT_SECRET,
 *   SUPABASE_CONFIG; optional GATEWAY_HOST, GATEWAY_PORT (0 chooses a free one), GATEWAY_PUBLIC_URL,
 *   GATEWAY_PUBLIC_CHANNELS (1 allows them, as the hosted project's switch "Allow public access" does; Branchline has it
 *   off).
 * @throws {Error} naming the variable that is missing or malformed; no value has a secret default.
 */
export function readSettings(environment) {
  const file = parse(readFileSync(required(environment, "SUPABASE_CONFIG"), "utf8"));
  const auth = file.auth ?? {};
  const email = auth.email ?? {};
  const requirements = auth.password_requirements ?? "";
  if (requirements && !CHARACTER_SETS[requirements])
    throw new Error(`unknown password_requirements: ${requirements}`);
  return {
    host: environment.GATEWAY_HOST || "127.0.0.1",
    port: Number(environment.GATEWAY_PORT || 0),
    publicUrl: environment.GATEWAY_PUBLIC_URL?.replace(/\/+$/, "") || null,
    databaseUrl: required(environment, "GATEWAY_DATABASE_URL"),
    poolSize: 10,
    anonKey: required(
      environment,
      "SUPABASE_ANON_KEY",
      (key) => key.startsWith("sb_publishable_"),
      "sb_publishable_...",
    ),
    serviceKey: required(
      environment,
      "SUPABASE_SERVICE_ROLE_KEY",
      (key) => key.startsWith("sb_secret_"),
      "sb_secret_...",
    ),
    jwtSecret: required(
      environment,
      "SUPABASE_JWT_SECRET",
      (secret) => secret.length >= 32,
      "at least 32 characters",
    ),
    schemas: file.api?.schemas ?? ["public"],
    searchPath: [
      ...new Set([...(file.api?.schemas ?? ["public"]).slice(0, 1), ...(file.api?.extra_search_path ?? [])]),
    ],
    maxRows: file.api?.max_rows ?? 1000,
    password: {
      minLength: auth.minimum_password_length ?? 6,
      characters: CHARACTER_SETS[requirements] ?? [],
    },
    realtime: { privateOnly: environment.GATEWAY_PUBLIC_CHANNELS !== "1" },
    storage: {
      folder: required(environment, "GATEWAY_STORAGE", isAbsolute, "an absolute path"),
      largest: parseSize(file.storage?.file_size_limit ?? "50MiB"),
    },
    accessTokenHook: hookFunction(auth.hook?.custom_access_token),
    auth: {
      enabled: true,
      jwt_expiry: auth.jwt_expiry ?? 3600,
      site_url: auth.site_url ?? "http://127.0.0.1:3000",
      additional_redirect_urls: auth.additional_redirect_urls ?? [],
      enable_signup: auth.enable_signup ?? true,
      enable_refresh_token_rotation: auth.enable_refresh_token_rotation ?? true,
      refresh_token_reuse_interval: auth.refresh_token_reuse_interval ?? 10,
      minimum_password_length: auth.minimum_password_length ?? 6,
      password_requirements: requirements,
      email: {
        enable_signup: email.enabled ?? email.enable_signup ?? true,
        enable_confirmations: email.enable_confirmations ?? false,
        double_confirm_changes: email.double_confirm_changes ?? true,
        otp_length: email.otp_length ?? 6,
        otp_expiry: email.otp_expiry ?? 3600,
      },
    },
  };
}
