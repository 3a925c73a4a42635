/** ETags travel in quotes in headers and without them in listings. Everything outside this adapter sees them bare. */
export function bareEtag(etag: string | undefined): string {
  return etag === undefined ? '' : etag.replace(/^"|"$/g, '');
}

export function quotedEtag(etag: string): string {
  return `"${etag}"`;
}
