import { createCipheriv, createHash } from 'node:crypto';

export type BlobKind = 'block' | 'page' | 'append';

export interface Headers {
  contentType: string;
  contentEncoding?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  /** Base64. */
  contentMd5?: string;
}

/** One state of a blob in full: the demo writes it, and must find it again. */
export interface BlobSpec {
  container: string;
  name: string;
  kind: BlobKind;
  size: number;
  /** The seed of the bytes: equal words give equal bytes. */
  content: string;
  headers: Headers;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  /** The account's default if absent. */
  tier?: 'Hot' | 'Cool' | 'Cold' | 'Archive';
}

/** Bytes that look random and are always the same. Page blobs are sparse: the middle third is empty. */
export function bytesOf({ kind, size, content }: Pick<BlobSpec, 'kind' | 'size' | 'content'>): Buffer {
  const key = createHash('sha256').update(content).digest();
  const bytes = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(size));
  if (kind === 'page') {
    const [from, to] = emptyPages(size);
    bytes.fill(0, from, to);
  }
  return bytes;
}

/** The range of a page blob that stays unwritten. */
export function emptyPages(size: number): [from: number, to: number] {
  const pages = size / 512;
  return [Math.ceil(pages / 3) * 512, Math.floor((2 * pages) / 3) * 512];
}

export function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64');
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
