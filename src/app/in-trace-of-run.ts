import type { RunRef } from '#domain/run/run.ts';
import type { Telemetry } from '#telemetry/telemetry.ts';

/** An activity, in the trace of the run that its input names. */
export function inTraceOfRun(
  telemetry: Pick<Telemetry, 'activity'>,
  name: string,
  activity: (input: unknown) => Promise<unknown>,
): (input: unknown) => Promise<unknown> {
  return (input) => (hasRun(input) ? telemetry.activity(name, input, () => activity(input)) : activity(input));
}

function hasRun(input: unknown): input is { run: RunRef; container?: string } {
  const { run } = (typeof input === 'object' && input !== null ? input : {}) as { run?: Partial<RunRef> };
  return typeof run?.id === 'string';
}
