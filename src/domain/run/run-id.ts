/** `nightly-20261121T233000Z-k3f9q2`: sorts by time within its job, fits a URL, and has the name of its job. */
export function newRunId(job: string, now: Date, random: string): string {
  return `${job}-${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${random}`;
}

export function parseRunId(id: string): { job: string; startedAt: Date } | undefined {
  const match = /^([a-z0-9][a-z0-9-]{0,39})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{6}$/.exec(id);
  if (!match) return undefined;
  const [, job, year, month, day, hour, minute, second] = match;
  const startedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(startedAt.getTime()) ? undefined : { job: job!, startedAt };
}

/** Whether runs of a job of this name can exist. */
export function isJobName(job: string): boolean {
  return parseRunId(newRunId(job, new Date(0), 'aaaaaa'))?.job === job;
}

/** The id of the orchestration that does the work of a run. The one with the id of the run publishes the result. */
export function workId(run: string): string {
  return `${run}:work`;
}

/** The owner of an upload that an event announced, in a rule's records and receipts. */
export function eventOwner(rule: string, event: string): string {
  return `${rule}-event-${event}`;
}

/** Whether this names a run, or the owner of an upload: what makes copies. */
export function isCopier(id: string): boolean {
  return parseRunId(id) !== undefined || /^[a-z0-9][a-z0-9-]{0,39}-event-[\w-]{1,64}$/.test(id);
}
