const NOT_ENOUGH = 'parse error (not enough input) at ""';

/** The records of a CSV text, as lists of fields. */
function records(text, fail) {
  const rows = [];
  let row = [];
  let at = 0;
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      const match = /"((?:[^"]|"")*)"/y;
      match.lastIndex = at;
      const found = match.exec(text);
      if (!found) throw fail(NOT_ENOUGH);
      field = found[1].replaceAll('""', '"');
      at = match.lastIndex;
    } else {
      const match = /[^,"\r\n]*/y;
      match.lastIndex = at;
      field = match.exec(text)[0];
      at = match.lastIndex;
    }
    row.push(field);
    const separator = /,|\r\n|\n|\r|$/y;
    separator.lastIndex = at;
    const found = separator.exec(text);
    if (!found) throw fail(`parse error (endOfInput) at ${JSON.stringify(text.slice(at, at + 30))}`);
    at = separator.lastIndex;
    if (found[0] !== ",") {
      rows.push(row);
      row = [];
    } else if (at === text.length) {
      rows.push([...row, ""]);
      row = [];
    }
  }
  return rows;
}

/**
 * Reads CSV with a header into objects of texts; the word NULL is null.
 *
 * @param {string} text
 * @param {(message: string) => Error} fail
 */
export function parse(text, fail) {
  const [header, ...rows] = records(text, fail);
  const filled = rows.filter((row) => row.length > 1 || row[0] !== "");
  if (header === undefined || !/[\r\n]/.test(text)) throw fail(NOT_ENOUGH);
  return filled.map((row) =>
    Object.fromEntries(
      header.slice(0, row.length).map((name, index) => [name, row[index] === "NULL" ? null : row[index]]),
    ),
  );
}
