/** A run as the catalog has it. */
export interface KnownRun {
  id: string;
  job: string;
  mode: string;
  trigger: string;
  status: string;
  dryRun: boolean;
  startedAt: string;
  finishedAt?: string;
  counts?: Record<string, number>;
  problem?: { code: string; container?: string; count: number };
}
