import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { BACKUP, jobOf, Vault } from './prune-vault.ts';

export { BACKUP };

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

// biome-ignore lint/suspicious/noExplicitAny: a tamperer changes what he likes
export type Json = any;

/** The restore points and runs of a tampered vault, by what they are in its story. */
export interface Story {
  emptied: string;
  middle: string;
  last: string;
  verification: string;
  prune: string;
}

/** A vault and a tamperer who may write whatever he likes into it. He knows the format, and how to make it add up. */
export class TamperedVault {
  readonly vault = new Vault({ sliceBlobs: 3 });
  story!: Story;

  /**
   * Three restore points: a prune has emptied the first, and a verification has read the last. Their records are 1 to
   * 5, and the source is gone.
   */
  async begin(): Promise<this> {
    const { vault } = this;
    vault.jobs = [
      jobOf('nightly', { retention: { keepLast: 2, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 } } }),
    ];
    for (const name of 'abcdef') vault.put(name, `first content of ${name}`);
    const emptied = await vault.backup();
    vault.put('a', 'other content of a');
    const middle = await vault.backup();
    vault.put('b', 'other content of b');
    const last = await vault.backup();
    const prune = await vault.prune();
    const verification = await vault.verify(last.id);
    for (const name of 'abcdef') vault.source.remove('data', name);
    this.story = {
      ...{ emptied: emptied.id, middle: middle.id, last: last.id },
      ...{ verification: verification.id, prune: prune.id },
    };
    return this;
  }

  paths(pattern: RegExp): string[] {
    const { blobs } = this.vault.vault.listBlobs(CONTROL_CONTAINER, {});
    return blobs.map(({ name }) => name).filter((name) => pattern.test(name));
  }

  summaryOf(run: string): string {
    return `jobs/nightly/runs/${run}/run.json`;
  }

  notesOf(run: string): string {
    return `jobs/nightly/restore-points/${run}.json`;
  }

  partsOf(run: string): string[] {
    return this.#manifest(run).filter((path) => !this.comparisonsOf(run).includes(path));
  }

  comparisonsOf(run: string): string[] {
    return this.#manifest(run).filter((path) => path.includes('compared'));
  }

  #manifest(run: string): string[] {
    return this.paths(new RegExp(`/runs/${run}/manifest/`));
  }

  record(number: number): string {
    return `jobs/nightly/chain/${String(number).padStart(10, '0')}.json`;
  }

  drop(path: string, container = CONTROL_CONTAINER): void {
    this.vault.vault.remove(container, path);
  }

  /** Replaces the bytes and keeps everything else. */
  rewrite(path: string, change: (body: Buffer) => Buffer, container = CONTROL_CONTAINER): void {
    const { body, metadata, headers } = this.vault.vault.blob(container, path)!;
    this.vault.vault.write(container, { name: path, body: change(body), metadata, headers });
  }

  cutShort(path: string, container = CONTROL_CONTAINER): void {
    this.rewrite(path, (body) => body.subarray(0, -1), container);
  }

  exchange(one: string, other: string, container = CONTROL_CONTAINER): void {
    const { body } = this.vault.vault.blob(container, one)!;
    this.rewrite(one, () => this.vault.vault.blob(container, other)!.body, container);
    this.rewrite(other, () => body, container);
  }

  dropSnapshot(name: string): void {
    const { vault } = this.vault;
    const { blobs } = vault.listBlobs(BACKUP, { prefix: name, snapshotsAndVersions: true });
    const { etag, snapshotOrVersion } = blobs.find((blob) => blob.snapshotOrVersion)!;
    vault.deleteBlob(BACKUP, name, { ifMatch: etag, snapshotOrVersion: snapshotOrVersion! });
  }

  shoutSnapshot(name: string): void {
    const [first] = this.vault.vault.all(BACKUP, name).filter(({ body }) => String(body).startsWith('first'));
    Object.assign(first!, { body: Buffer.from(String(first!.body).toUpperCase()) });
  }

  json(path: string, change: (value: Json) => void): void {
    this.rewrite(path, (body) => {
      const value = JSON.parse(String(body));
      change(value);
      return Buffer.from(JSON.stringify(value));
    });
  }

  metadata(path: string, key: string, change: (value: Json) => void): void {
    const { body, metadata, headers } = this.vault.vault.blob(CONTROL_CONTAINER, path)!;
    const value = JSON.parse(metadata[key]!);
    change(value);
    const changed = { ...metadata, [key]: JSON.stringify(value) };
    this.vault.vault.write(CONTROL_CONTAINER, { name: path, body, metadata: changed, headers });
  }

  /** Notes, with the metadata that repeats them. */
  notes(run: string, change: (notes: Json) => void): void {
    this.json(this.notesOf(run), change);
    this.metadata(this.notesOf(run), 'strongroom_notes', change);
  }

  /** Changes lines of the parts of a run, and makes each part whole again. */
  lines(run: string, change: (line: Json) => void): void {
    for (const path of this.partsOf(run)) {
      this.rewrite(path, (body) => {
        const lines = gunzipSync(body)
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        for (const line of lines) change(line);
        return gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      });
      this.metadata(path, 'strongroom_tally', (tally) => {
        tally.sha256 = sha256(this.vault.vault.blob(CONTROL_CONTAINER, path)!.body);
      });
    }
  }

  /** Makes every SHA-256 fit again: of parts in summaries, of summaries in records, and of records in the next ones. */
  makeConsistent(): void {
    const bytes = (path: string) => this.vault.vault.blob(CONTROL_CONTAINER, path)?.body;
    for (const path of this.paths(/\/run\.json$/)) {
      this.json(path, (summary) => {
        for (const part of summary.parts) part.sha256 = sha256(bytes(part.path) ?? Buffer.alloc(0));
      });
    }
    let previous: string | null = null;
    for (const path of this.paths(/\/chain\//)) {
      this.json(path, (record) => {
        record.previous = previous;
        const summary = record.summary && bytes(record.summary.path);
        if (summary) record.summary.sha256 = sha256(summary);
      });
      const { metadata } = this.vault.vault.blob(CONTROL_CONTAINER, path)!;
      const { summary } = JSON.parse(String(bytes(path)));
      if (metadata.strongroom_chain && summary) {
        this.metadata(path, 'strongroom_chain', (line) => {
          line.sha256 = summary.sha256;
        });
      }
      previous = sha256(bytes(path)!);
    }
  }
}
