/** How a command of Strongroom ends. Scripts rely on these codes: treat one that you do not know as a failure. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  withFailures: 3,
  failed: 4,
  cancelled: 5,
  attention: 6,
  unconfirmed: 7,
  refused: 8,
  busy: 11,
  notAllowed: 12,
  stale: 14,
  damaged: 65,
  outOfReach: 69,
  disk: 74,
  waitOver: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const MEANINGS: Record<ExitCode, string> = {
  [EXIT.done]: 'done: the run succeeded, or the host stopped as asked',
  [EXIT.unexpected]: 'unexpected failure',
  [EXIT.usage]: 'wrong options, settings or configuration; nothing was started',
  [EXIT.withFailures]: 'the run completed with failures',
  [EXIT.failed]: 'the run failed',
  [EXIT.cancelled]: 'the run was cancelled',
  [EXIT.attention]: 'something needs attention, such as a safety brake that the run engaged',
  [EXIT.unconfirmed]: 'nothing was changed: a preview was shown, and it needs a yes',
  [EXIT.refused]: 'refused: the request does not fit what there is',
  [EXIT.busy]: 'another run or process is in the way; try again later',
  [EXIT.notAllowed]: 'not signed in, or not allowed',
  [EXIT.stale]: 'the plan is no longer valid; make a new one',
  [EXIT.damaged]: 'stored data is damaged, on disk or in the vault',
  [EXIT.outOfReach]: 'a storage account or the host cannot be reached',
  [EXIT.disk]: 'the disk is full, or the data directory cannot be read or written',
  [EXIT.waitOver]: 'the wait is over, and the run continues',
  [EXIT.interrupted]: 'stopped by SIGINT (Ctrl-C)',
  [EXIT.terminated]: 'stopped by SIGTERM',
};

const OF_RUNS: Record<string, ExitCode> = {
  succeeded: EXIT.done,
  'completed-with-failures': EXIT.withFailures,
  failed: EXIT.failed,
  cancelled: EXIT.cancelled,
};

const OF_CODES: Record<string, ExitCode> = {
  'run-in-progress': EXIT.busy,
  'lock-contended': EXIT.busy,
  'notes-contended': EXIT.busy,
  'plan-stale': EXIT.stale,
};

/** What an account refuses to this sign-in. The API answers 502, as the caller has done nothing wrong. */
const NOT_ALLOWED = /^(?:access-denied-|authentication-failed$|key-not-permitted$|sas-too-narrow$)/;

/** What has not answered, or could not. Without a code, it is not the app that says so. */
const OUT_OF_REACH = new Set(['', 'message-not-sent', 'server-error', 'throttled', 'unreachable']);

/**
 * The code for a run that has ended. A safety brake does not fail the run that engages it. But a script must not miss
 * it: prunes wait for an operator, and what was changed or lost may be an attack.
 */
export function exitCodeOfRun({
  status,
  problems = [],
}: {
  status: string;
  problems?: readonly { code?: string }[];
}): ExitCode {
  const code = OF_RUNS[status] ?? EXIT.unexpected;
  return code === EXIT.done && problems.some((problem) => problem.code === 'brake-engaged') ? EXIT.attention : code;
}

/** The code for an answer of the HTTP API that is not a success. */
export function exitCodeOfAnswer(status: number, code = ''): ExitCode {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  if (status >= 400 && status < 500) return OF_CODES[code] ?? EXIT.refused;
  if (status === 502 && code === 'damaged') return EXIT.damaged;
  if (status === 502 && NOT_ALLOWED.test(code)) return EXIT.notAllowed;
  if (status === 502 && !OUT_OF_REACH.has(code)) return EXIT.refused;
  return status >= 502 && status <= 504 ? EXIT.outOfReach : EXIT.unexpected;
}

/** The code for a process that a signal has stopped. */
export function exitCodeOfSignal(name: unknown): ExitCode {
  return name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
}

/** The table of all codes, a line for each. */
export function exitCodeTable(): string {
  return Object.entries(MEANINGS)
    .map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}\n`)
    .join('');
}
