import { log } from "./log.mjs";

/**
 * Writes to the log what Supabase Auth would send: nothing leaves the machine.
 *
 * The link is the one that hosted Supabase mails, to Auth's own verify endpoint (the embedded library would link
 * to the site instead, where nothing answers it).
 *
 * @param {{issuer: string, auth: {site_url: string}}} settings
 */
export function createMailer(settings) {
  const send = (kind) => async (email, token, code, meta) => {
    const query = new URLSearchParams({
      token,
      type: kind,
      redirect_to: meta?.redirectTo ?? settings.auth.site_url,
    });
    log("info", "email", { kind, to: email, code, link: `${settings.issuer}/verify?${query}` });
  };
  return {
    sendConfirmation: send("signup"),
    sendRecovery: send("recovery"),
    sendMagicLink: send("magiclink"),
    sendEmailChange: send("email_change"),
    sendReauthentication: async (email, code) =>
      log("info", "email", { kind: "reauthentication", to: email, code }),
  };
}
