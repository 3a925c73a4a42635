import { createHash } from 'node:crypto';

export interface KeptObject {
  body: Buffer;
  etag: string;
  /** Headers that a write sets and a read returns: metadata, type and encoding. */
  headers: Record<string, string>;
}

/** The objects that the stand-in server stores: the few in which a backup keeps its state. */
export class KeptObjects {
  readonly #objects = new Map<string, KeptObject>();
  #writes = 0;

  get(path: string): KeptObject | undefined {
    return this.#objects.get(path);
  }

  /** Undefined if a condition does not hold. */
  put(path: string, body: Buffer, headers: Record<string, string>): KeptObject | undefined {
    const { 'if-match': match, 'if-none-match': noneMatch } = headers;
    const found = this.#objects.get(path);
    if (noneMatch === '*' && found !== undefined) return undefined;
    if (match !== undefined && match !== found?.etag) return undefined;
    const kept: KeptObject = { body, etag: `"0x8DF${(++this.#writes).toString(16)}"`, headers: {} };
    for (const [name, value] of Object.entries(headers)) {
      if (name.startsWith('x-ms-meta-')) kept.headers[name] = value;
      else if (name.startsWith('x-ms-blob-content-')) kept.headers[name.slice('x-ms-blob-'.length)] = value;
    }
    this.#objects.set(path, kept);
    return kept;
  }

  /** Lists the objects below a path on one page; with a delimiter, the folders directly below it. */
  list(container: string, prefix: string, delimiter: string | null): string {
    const below = [...this.#objects]
      .filter(([path]) => path.startsWith(`${container}/${prefix}`))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const folderOf = (path: string) => {
      const end = delimiter ? path.indexOf(delimiter, container.length + 1 + prefix.length) : -1;
      return end < 0 ? undefined : path.slice(container.length + 1, end + 1);
    };
    const folders = new Set(below.map(([path]) => folderOf(path)).filter((folder) => folder !== undefined));
    const prefixes = [...folders].map((folder) => `<BlobPrefix><Name>${escaped(folder)}</Name></BlobPrefix>`);
    const entries = below
      .filter(([path]) => folderOf(path) === undefined)
      .map(([path, { body, etag, headers }]) => {
        const metadata = Object.entries(headers)
          .filter(([name]) => name.startsWith('x-ms-meta-'))
          .map(([name, value]) => [name.slice('x-ms-meta-'.length), escaped(value)])
          .map(([name, value]) => `<${name}>${value}</${name}>`);
        return (
          `<Blob><Name>${escaped(path.slice(container.length + 1))}</Name><Properties><Last-Modified>Sun, 22 Nov 2026 01:30:12 GMT</Last-Modified>` +
          `<Etag>${etag.replaceAll('"', '')}</Etag><Content-Length>${body.length}</Content-Length><Content-MD5>${createHash('md5').update(body).digest('base64')}</Content-MD5>` +
          `<BlobType>BlockBlob</BlobType></Properties><Metadata>${metadata.join('')}</Metadata></Blob>`
        );
      });
    return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="x"><Blobs>${entries.join('')}${prefixes.join('')}</Blobs><NextMarker/></EnumerationResults>`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
