import { hash } from "bcryptjs";
import { AuthError, validationFailed } from "./auth_error.mjs";

const BCRYPT_COST = 10;
const BCRYPT_LIMIT = 72;

/**
 * Refuses a password that breaks the rules of config.toml.
 *
 * @param {string} password
 * @param {{minLength: number, characters: string[]}} rules
 * @throws {AuthError} 422 weak_password with the reasons, or 400 validation_failed when bcrypt would cut it.
 */
export function checkPassword(password, rules) {
  const reasons = [];
  const messages = [];
  if (password.length < rules.minLength) {
    reasons.push("length");
    messages.push(`Password should be at least ${rules.minLength} characters.`);
  }
  if (rules.characters.some((set) => ![...password].some((character) => set.includes(character)))) {
    reasons.push("characters");
    messages.push(`Password should contain at least one character of each: ${rules.characters.join(", ")}.`);
  }
  if (reasons.length > 0)
    throw new AuthError(422, "weak_password", messages.join(" "), { weak_password: { reasons } });
  if (Buffer.byteLength(password) > BCRYPT_LIMIT)
    throw validationFailed(`Password cannot be longer than ${BCRYPT_LIMIT} characters`);
}

/** @returns {Promise<string>} the bcrypt hash that the library's sign-in compares with. */
export function hashPassword(password) {
  return hash(password, BCRYPT_COST);
}
