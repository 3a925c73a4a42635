/** The id of a run, such as `nightly-20261121T233000Z-k3f9q2`: its job or rule, when it began, and a random text. */
const ID = /^([a-z0-9][a-z0-9-]*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{4,}$/;

export function isRunId(text: string): boolean {
  return ID.test(text);
}

export function jobOf(id: string): string {
  return ID.exec(id)?.[1] ?? id;
}

/** When the run began; undefined if the id does not say so. */
export function timeOf(id: string): string | undefined {
  const [, , year, month, day, hour, minute, second] = ID.exec(id) ?? [];
  return year && `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
