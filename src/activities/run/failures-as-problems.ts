import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { setupChange } from '#app/run-setup.ts';
import { redact } from '#domain/redact.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { setupProblem } from '#domain/run/run-setup.ts';
import type { StopReason } from './run-guard.ts';

/** The result of an activity, or the problem that kept it from having one. */
export type ResultOrProblem<Result extends object> =
  | (Result & Absent<Exclude<'problem' | 'stopped', keyof Result>>)
  | ({ problem: Problem; stopped?: StopReason } & Absent<Exclude<keyof Result, 'problem' | 'stopped'>>);

type Absent<Fields extends PropertyKey> = { [Field in Fields]?: undefined };

/**
 * Executes an activity only with the accounts and the selection that its run began with. An orchestration would lose or
 * retry a thrown error, while the report of the run shows a returned problem. The storage adapter has already retried
 * what was worth it.
 */
export function failuresAsProblems<Input extends { run: RunRef; container?: string }, Result extends object>(
  deps: Dependencies,
  activity: (deps: Dependencies, input: Input) => Promise<Result>,
): (input: Input) => Promise<ResultOrProblem<Result>> {
  return async (input) => {
    try {
      const change = setupChange(deps, input.run);
      if (change) {
        const answer = { problem: setupProblem(change, input.container), stopped: 'changed' };
        return answer as ResultOrProblem<Result>;
      }
      return (await activity(deps, input)) as ResultOrProblem<Result>;
    } catch (error) {
      const { run, container } = input;
      deps.telemetry.failure(activity.name, error, { run: run.id, job: run.job, container });
      // Histories and the vault store the message, and not all of its words are ours.
      const message = redact(error instanceof Error ? error.message : String(error));
      const problem = problemOf(problemCodeOf(error, 'destination'), 0, container, message);
      return { problem } as ResultOrProblem<Result>;
    }
  };
}
