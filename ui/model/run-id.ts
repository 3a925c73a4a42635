/** Whether a text is the id of a run, such as `nightly-20261121T233000Z-k3f9q2`. */
export function isRunId(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]*-\d{8}T\d{6}Z-[a-z0-9]{4,}$/.test(text);
}
