import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

export const CONTROL = 'strongroom';
/** Bytes: no part or file is as long as this after decompression. */
const LONGEST = 1024 * 1024 * 1024;

export function sha256Of(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The objects of one job in the control container, and what is wrong with them. */
export class Documents {
  vault;
  job;
  findings = [];
  /** What has no record, and takes nothing from a restore point. */
  remarks = [];
  counts = { parts: 0, files: 0 };
  /** Metadata by path. */
  #objects = new Map();
  /** What was found in parts and files, by path: restore points share them. */
  #checked = new Map();

  static async open(vault, job) {
    const documents = new Documents();
    documents.vault = vault;
    documents.job = job;
    for await (const { name, metadata } of vault.list(CONTROL, { prefix: `jobs/${job}/` })) {
      documents.#objects.set(name, metadata ?? {});
    }
    return documents;
  }

  find(what, where, how) {
    this.findings.push({ what, where, how });
  }

  has(path) {
    return this.#objects.has(path);
  }

  /** The metadata of an object, as the listing shows them. */
  metadataOf(path) {
    return this.#objects.get(path);
  }

  paths() {
    return this.#objects.keys();
  }

  read(path) {
    return this.vault.read(CONTROL, path);
  }

  /** A JSON document; `value` is undefined if it is not JSON, and all of it if it does not exist. */
  async readJson(path) {
    const bytes = await this.read(path);
    if (bytes === undefined) return undefined;
    try {
      return { bytes, value: JSON.parse(bytes.toString('utf8')) };
    } catch {
      return { bytes, value: undefined };
    }
  }

  /** Listings show metadata in place of the document: both have to say the same. */
  checkMetadata(path, key, expected) {
    const text = this.#objects.get(path)?.[key];
    if (text === undefined) return;
    try {
      if (expected(JSON.parse(text))) return;
    } catch {}
    this.find('altered', path, `its metadata ${key} says something else than its content`);
  }

  /**
   * The summary that a record names, if it is that one; with all of its parts, and the files of its tables, unless a
   * prune has deleted them.
   */
  async checkSummary({ number, run, summary: { path, sha256 } }, { parts: withParts = true } = {}) {
    const found = await this.readJson(path);
    if (!found) return this.find('missing', path, `record ${number} names it`);
    if (sha256Of(found.bytes) !== sha256)
      return this.find('altered', path, `record ${number} has another SHA-256 of it`);
    const summary = found.value;
    if (summary?.id !== run || !Array.isArray(summary.parts))
      return this.find('forged', path, `it is not of run ${run}`);
    this.checkMetadata(path, 'strongroom_run', ({ restorePoint }) => restorePoint === summary.restorePoint);
    const { parts, compared = [], properties = [] } = summary;
    if (!withParts) return summary;
    for (const part of [...parts, ...compared, ...properties]) await this.linesOf(part, path);
    return summary;
  }

  /** The lines of a part; none if it is not the one that its summary names. */
  async linesOf(part, by) {
    const bytes = await this.#wholeOf(part, by, 'parts');
    if (bytes === undefined) return [];
    let lines;
    try {
      lines = readLines(bytes);
    } catch (error) {
      this.find('altered', part.path, error.message);
      return [];
    }
    const { end } = lines.pop() ?? {};
    if (end?.part !== part.path) this.find('forged', part.path, 'its last line names another part');
    if (end?.items !== lines.length) this.find('altered', part.path, `its last line says ${end?.items} items`);
    this.checkMetadata(part.path, 'strongroom_tally', (tally) => tally.sha256 === part.sha256);
    for (const { files = [] } of lines) {
      for (const file of files) {
        await this.#wholeOf(file, part.path, 'files');
        const listed = this.#objects.get(file.path)?.strongroom_sha256;
        if (listed !== undefined && listed !== file.sha256)
          this.#once('altered', file.path, 'its metadata has another SHA-256');
      }
    }
    return lines;
  }

  /** The bytes of a part or file, if they are those that `by` names. A file is read once; it is of no use here. */
  async #wholeOf({ path, sha256 }, by, kind) {
    const known = this.#checked.get(path);
    if (known === sha256 && kind === 'files') return undefined;
    if (known === undefined) this.counts[kind]++;
    const bytes = await this.read(path);
    const actual = bytes && sha256Of(bytes);
    this.#checked.set(path, actual);
    if (actual === undefined) this.#once('missing', path, `${by} names it`);
    else if (actual !== sha256) this.#once('altered', path, `${by} has another SHA-256 of it`);
    else return bytes;
    return undefined;
  }

  /** Several restore points may name one object. */
  #once(what, where, how) {
    if (!this.findings.some((finding) => finding.what === what && finding.where === where)) this.find(what, where, how);
  }
}

function readLines(bytes) {
  const lines = gunzipSync(bytes, { maxOutputLength: LONGEST }).toString('utf8').split('\n');
  if (lines.pop() !== '') throw new Error('its last line is cut off');
  return lines.map((line) => JSON.parse(line));
}
