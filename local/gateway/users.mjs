/** Reading users and showing them as Supabase Auth's JSON does. */

/** @returns {Promise<object | null>} the row of auth.users with its identities. */
export async function findUser(database, id) {
  const [user] = await database`
    select u.*, coalesce(
      (select json_agg(i order by i.created_at) from auth.identities i where i.user_id = u.id), '[]'
    ) as identities
    from auth.users u where u.id = ${id}`;
  return user ?? null;
}

export async function findUserByEmail(database, email) {
  const [user] = await database`
    select * from auth.users where email = ${email.toLowerCase()} and not is_sso_user`;
  return user ?? null;
}

export function isBanned(user) {
  return user.banned_until !== null && new Date(user.banned_until) > new Date();
}

/** Optional members are left out when null, as Go's `omitempty` does. */
function present(members) {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
}

export function userJson(user) {
  return {
    id: user.id,
    aud: user.aud,
    role: user.role,
    email: user.email ?? "",
    ...present({ email_confirmed_at: user.email_confirmed_at, invited_at: user.invited_at }),
    phone: user.phone ?? "",
    ...present({
      phone_confirmed_at: user.phone_confirmed_at,
      confirmation_sent_at: user.confirmation_sent_at,
      confirmed_at: user.confirmed_at,
      recovery_sent_at: user.recovery_sent_at,
      new_email: user.email_change,
      email_change_sent_at: user.email_change_sent_at,
      new_phone: user.phone_change,
      phone_change_sent_at: user.phone_change_sent_at,
      reauthentication_sent_at: user.reauthentication_sent_at,
      last_sign_in_at: user.last_sign_in_at,
    }),
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    identities: user.identities.map((identity) => ({
      identity_id: identity.id,
      id: identity.provider_id,
      user_id: identity.user_id,
      identity_data: identity.identity_data,
      provider: identity.provider,
      last_sign_in_at: identity.last_sign_in_at,
      created_at: identity.created_at,
      updated_at: identity.updated_at,
      ...present({ email: identity.email }),
    })),
    created_at: user.created_at,
    updated_at: user.updated_at,
    ...present({ banned_until: user.banned_until, deleted_at: user.deleted_at }),
    is_anonymous: user.is_anonymous,
  };
}
