/** An orchestration that has not ended. */
export interface Unfinished {
  id: string;
  /** Id of the orchestration that was started first: itself, or one that started it. */
  root: string;
  /** An activity or a timer of its own is not done. Without one, it waits for other orchestrations, or for its turn. */
  hasOwnStep?: boolean;
  /** What its last activity failed with, until one of its activities succeeds. */
  failure?: string;
}
