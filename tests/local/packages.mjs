// Lets test scripts import what is installed in local/node_modules.
import { registerHooks } from "node:module";

const INSTALLED = new URL("../../local/package.json", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const bare =
      /^(@[\w-]+\/)?[\w-]+/.test(specifier) &&
      !specifier.startsWith("node:") &&
      !specifier.startsWith("file:");
    return next(
      specifier,
      bare && context.parentURL && !context.parentURL.includes("/node_modules/")
        ? { ...context, parentURL: INSTALLED }
        : context,
    );
  },
});
