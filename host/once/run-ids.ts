/** Recognizes the ids of the runs of a job or an archive rule, as in `nightly-20261121T233000Z-k3f9q2`. */
export function runIdsOf(job: string): (id: string) => boolean {
  return (id) => id.startsWith(`${job}-`) && /^\d{8}T\d{6}Z-[a-z\d]{6}$/.test(id.slice(job.length + 1));
}
