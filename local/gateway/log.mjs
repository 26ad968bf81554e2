/** One JSON object a line on stderr; stdout is kept for the single line that says the gateway is ready. */
export function log(level, event, fields = {}) {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
}

/**
 * Sends the embedded library's own console output through {@link log}.
 *
 * It prints every refused statement with its stack trace; a permission error is an everyday answer of a
 * tested system, so one line with the database's words remains of it.
 */
export function captureConsole() {
  const line =
    (level) =>
    (...parts) => {
      const first = parts[0];
      if (first instanceof Error) {
        const { code, message } = first.cause ?? first;
        log(code ? "info" : level, "refused", { code, message });
        return;
      }
      log(level, "library", {
        message: parts.map((part) => (part instanceof Error ? part.message : String(part))).join(" "),
      });
    };
  console.error = line("warning");
  console.warn = line("warning");
  console.info = line("info");
  console.log = line("info");
}
