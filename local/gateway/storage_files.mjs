import { createHash, randomUUID } from "node:crypto";
import { copyFile, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

function gone(error) {
  if (error.code === "ENOENT") return null;
  throw error;
}

const VERSION = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Keeps the contents of objects in a folder.
 *
 * A file is named by the version of its object, a uuid made here; the row in `storage.objects` says which object that
 * is. Nothing a client sends ever becomes part of a path on disk, so there is nothing to climb out of, and moving an
 * object moves no file.
 *
 * @param {string} folder made at the first write.
 */
export function createFiles(folder) {
  const pathOf = (version) => join(folder, version.slice(0, 2), version);
  /** A row that was written past Storage has no file, whatever it says. */
  const isOurs = (version) => VERSION.test(version ?? "");

  /** Fills a new file by `fill(temporary path)` and gives it its name in one step, so that no half of it is ever seen. */
  async function place(fill) {
    const version = randomUUID();
    const path = pathOf(version);
    await mkdir(dirname(path), { recursive: true });
    try {
      await fill(`${path}.part`);
      await rename(`${path}.part`, path);
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      throw error;
    }
    return version;
  }

  return {
    /** @returns {Promise<{version: string, eTag: string}>} */
    async write(content) {
      const version = await place(async (path) => {
        const file = await open(path, "wx", 0o600);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
      });
      return { version, eTag: `"${createHash("md5").update(content).digest("hex")}"` };
    },

    /** @returns {Promise<string | null>} the version of the copy; null when the file is gone. */
    async copy(version) {
      if (!isOurs(version)) return null;
      return place((path) => copyFile(pathOf(version), path)).catch(gone);
    },

    /** @returns {Promise<Buffer | null>} null when the file is gone. */
    async read(version) {
      return isOurs(version) ? readFile(pathOf(version)).catch(gone) : null;
    },

    async remove(version) {
      if (isOurs(version)) await rm(pathOf(version), { force: true });
    },

    /** Deletes what no object refers to: left by a process that ended between writing a file and its row. */
    async sweep(known) {
      const shelves = await readdir(folder).catch(() => []);
      for (const shelf of shelves) {
        for (const name of await readdir(join(folder, shelf)).catch(() => []))
          if (!known.has(name)) await rm(join(folder, shelf, name), { force: true });
      }
    },
  };
}
