const CHOICES = {
  resolution: ["merge-duplicates", "ignore-duplicates"],
  return: ["representation", "minimal", "headers-only"],
  count: ["exact", "planned", "estimated"],
  missing: ["default", "null"],
  handling: ["strict", "lenient"],
};
// Known, so that strict handling does not refuse it; which way a transaction ends is not the client's to say.
const KNOWN = new Set([
  "tx=commit",
  "tx=rollback",
  ...Object.entries(CHOICES).flatMap(([name, values]) => values.map((value) => `${name}=${value}`)),
]);

/**
 * Reads the Prefer header; of a preference given twice the first counts.
 *
 * @param {string | null} header
 * @param {Set<string>} timezones that the database knows
 */
export function readPreferences(header, timezones) {
  const given = (header ?? "").split(",").map((part) => part.trim());
  const preferences = Object.fromEntries(
    Object.entries(CHOICES).map(([name, values]) => [
      name,
      given
        .map((part) => part.split("="))
        .find(([key, value, more]) => key === name && more === undefined && values.includes(value))?.[1] ??
        null,
    ]),
  );
  const after = (prefix) => given.find((part) => part.startsWith(prefix))?.slice(prefix.length) ?? null;
  const timezone = after("timezone=");
  const known = timezone !== null && timezones.has(timezone);
  const affected = /^\s*(-?\d{1,19})\s*$/.exec(after("max-affected=") ?? "");
  return {
    ...preferences,
    timezone: known ? timezone : null,
    maxAffected: affected ? BigInt(affected[1]) : null,
    invalid:
      header === null
        ? []
        : given.filter(
            (part) =>
              !KNOWN.has(part) &&
              !(part.startsWith("timezone=") && known) &&
              !part.startsWith("max-affected="),
          ),
  };
}

/** The order in which Preference-Applied tells them. */
const ORDER = ["resolution", "missing", "return", "count", "handling", "timezone", "maxAffected"];

/** The header that says which preferences counted, or null. */
export function applied(preferences, names) {
  const words = ORDER.filter((name) => names.includes(name) && preferences[name] !== null)
    .filter((name) => name !== "maxAffected" || preferences.handling === "strict")
    .map((name) => `${name === "maxAffected" ? "max-affected" : name}=${preferences[name]}`);
  return words.length > 0 ? words.join(", ") : null;
}
