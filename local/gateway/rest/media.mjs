import { mediaTypes } from "./errors.mjs";

const JSON_TYPE = "application/json";
const OBJECT = "application/vnd.pgrst.object+json";
const ARRAY = "application/vnd.pgrst.array+json";

/** A media type as PostgREST names it: parameters count for its own types only. */
export function mediaType(text) {
  const [name, ...parameters] = text.split(";");
  const stripped = parameters.length === 1 && parameters[0] === "nulls=stripped";
  if (name === OBJECT || name === "application/vnd.pgrst.object")
    return stripped ? `${OBJECT};nulls=stripped` : OBJECT;
  if (name === ARRAY || name === "application/vnd.pgrst.array")
    return stripped ? `${ARRAY};nulls=stripped` : JSON_TYPE;
  if (/^application\/vnd\.pgrst\.plan(\+text|\+json)?$/.test(name)) return planName(name, parameters);
  return name;
}

function planName(name, parameters) {
  const format = name.endsWith("+json") ? "json" : "text";
  const asked = parameters
    .find((part) => part.startsWith("for="))
    ?.slice(4)
    .replace(/^"+|"+$/g, "");
  const options =
    parameters
      .find((part) => part.startsWith("options="))
      ?.slice(8)
      .split("|") ?? [];
  const known = ["analyze", "verbose", "settings", "buffers", "wal"].filter((option) =>
    options.includes(option),
  );
  return (
    `application/vnd.pgrst.plan+${format}; for="${mediaType(asked ?? JSON_TYPE)}"` +
    (known.length > 0 ? `; options=${known.join("|")}` : "")
  );
}

/** The media types of an Accept header, the most wanted first. */
export function accepted(header) {
  if (header === null) return ["*/*"];
  return header
    .split(",")
    .map((part) => {
      const text = part.replaceAll(" ", "");
      const at = text.indexOf(";q=");
      const name = at < 0 ? text : text.slice(0, at);
      const quality = at < 0 ? Number.NaN : Number.parseFloat(text.slice(at + 3).split(";")[0]);
      const specific = name.split(";").length - name.split("*").length;
      return { name, quality: Number.isNaN(quality) ? 1 : quality, specific };
    })
    .sort((a, b) => b.quality - a.quality || b.specific - a.specific)
    .map(({ name }) => mediaType(name));
}

/** What can be answered: how the rows are put together, and the name it goes by. */
const PRODUCED = {
  "*/*": { format: "json", type: JSON_TYPE },
  [JSON_TYPE]: { format: "json", type: JSON_TYPE },
  "text/csv": { format: "csv", type: "text/csv" },
  "application/geo+json": { format: "geojson", type: "application/geo+json" },
  [OBJECT]: { format: "object", type: OBJECT },
  [`${OBJECT};nulls=stripped`]: { format: "object", strip: true, type: `${OBJECT};nulls=stripped` },
  [`${ARRAY};nulls=stripped`]: { format: "json", strip: true, type: `${ARRAY};nulls=stripped` },
};

/** @throws {RestError} 406 when nothing of it can be made. */
export function negotiated(types) {
  const found = types.find((name) => Object.hasOwn(PRODUCED, name));
  if (found === undefined) throw mediaTypes(types);
  return { strip: false, ...PRODUCED[found], singular: PRODUCED[found].format === "object" };
}

/** The root describes itself as OpenAPI only. */
export function negotiatedRoot(types) {
  if (!types.some((name) => ["application/openapi+json", JSON_TYPE, "*/*"].includes(name)))
    throw mediaTypes(types);
}

export const contentType = (type) => `${type}; charset=utf-8`;
