import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { redact } from '#domain/redact.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';

/** The result of an activity, or the problem that kept it from having one. */
export type ResultOrProblem<Result extends object> =
  | (Result extends { problem?: Problem } ? Result : Result & { problem?: undefined })
  | ({ problem: Problem } & { [Field in Exclude<keyof Result, 'problem'>]?: undefined });

/**
 * An orchestration would lose or retry a thrown error, while the report of the run shows a returned problem. The
 * storage adapter has already retried what was worth it.
 */
export function failuresAsProblems<
  Input extends { run: { id: string; job: string }; container?: string },
  Result extends object,
>(
  deps: Dependencies,
  activity: (deps: Dependencies, input: Input) => Promise<Result>,
): (input: Input) => Promise<ResultOrProblem<Result>> {
  return async (input) => {
    try {
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
