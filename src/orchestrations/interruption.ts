import { type Problem, problemOf } from '#domain/run/problems.ts';

const EXCEPTION = /\b[A-Z][A-Za-z]{2,50}Exception\b/g;
/** These say no more than that something failed. */
const PLAIN = /^(?:FunctionFailed|FunctionInvocation|TaskFailed|OrchestrationFailure|Aggregate|Rpc)Exception$/;

/**
 * The problem of an activity that the platform ended. Activities answer with their problems, so one that throws did not
 * come to its end. What the platform says about it can be pages of stack traces with paths of the server: only the name
 * of its exception is shown.
 */
export function interruption(activity: string, error: unknown, container?: string): Problem {
  const names = String(error).match(EXCEPTION) ?? [];
  const name = names.find((each) => !PLAIN.test(each));
  const cause = name === undefined ? '' : ` (${name})`;
  return problemOf('interrupted', 0, container, `The platform ended ${activity} each time before it answered${cause}`);
}
