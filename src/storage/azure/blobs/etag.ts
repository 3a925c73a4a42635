/** Headers have ETags with quotes, listings without. Everything outside this adapter uses them without. */
export function bareEtag(etag: string | undefined): string {
  return etag === undefined ? '' : etag.replace(/^"|"$/g, '');
}

export function quotedEtag(etag: string): string {
  return `"${etag}"`;
}
