import { configurationSchema, loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';
import { scheduleWords } from '#domain/run/schedule-words.ts';
import { nextTimes } from '#domain/watch/next-start.ts';

export { configurationJsonSchema } from '#config/json-schema.ts';

interface Problem {
  path: string;
  message: string;
}

/** The answer of POST /api/config/check, and what only an app could check. */
export interface CheckedFile {
  isValid: boolean;
  problems: Problem[];
  /** Null if the file is not valid, or if a text of it comes from an app setting. */
  jobs: number | null;
  archives: number | null;
  notChecked: Problem[];
}

/** What the checks say of an app setting that is absent. */
const NEEDS_SETTING =
  /has no app setting; add |refers to the app setting .* which is not set$|^the app setting "[^"]*" is not set$|and no app setting has its address|unless the app setting STRONGROOM_AUTH is/;

/** Checks a configuration as the start of the app does, as far as that is possible without any app setting. */
export function checkFile(text: string, file: string): CheckedFile {
  const all = problemsOf(text, file);
  const notChecked = all.filter(({ message }) => NEEDS_SETTING.test(message));
  const problems = all.filter((problem) => !notChecked.includes(problem));
  const isValid = problems.length === 0;
  const { jobs, archives } = (isValid ? partsOf(text) : undefined) ?? { jobs: undefined, archives: undefined };
  return { isValid, problems, jobs: jobs?.length ?? null, archives: archives?.length ?? null, notChecked };
}

function problemsOf(text: string, file: string): Problem[] {
  try {
    loadConfiguration({ text, file, settings: {} });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, message }) => ({ path: place, message }));
  }
}

/** The jobs and rules of a file, or undefined if it has another shape. */
function partsOf(text: string) {
  try {
    return configurationSchema.safeParse(JSON.parse(text.replace(/^\uFEFF/, ''))).data;
  } catch {
    return undefined;
  }
}

export interface FileSchedule {
  job: string;
  kind: 'backup' | 'verify' | 'prune' | 'reconcile';
  schedule: string;
  words: string;
  timeZone: string;
  /** ISO 8601. */
  next: string[];
}

/** The schedules of a file with their next times; undefined if it has another shape. */
export function nextTimesOf(text: string, now: Date, count: number): FileSchedule[] | undefined {
  const parts = partsOf(text);
  if (!parts) return undefined;
  const shown = (job: string, kind: FileSchedule['kind'], timeZone: string, schedule: string | undefined) =>
    schedule === undefined
      ? []
      : [
          {
            ...{ job, kind, schedule, words: scheduleWords(schedule), timeZone },
            next: nextTimes(schedule, timeZone, now, count).map((time) => time.toISOString()),
          },
        ];
  return [
    ...parts.jobs.flatMap(({ name, timeZone, schedule, verify, retention }) => [
      ...shown(name, 'backup', timeZone, schedule),
      ...shown(name, 'verify', timeZone, verify?.schedule),
      ...shown(name, 'prune', timeZone, retention?.schedule),
    ]),
    ...parts.archives.flatMap(({ name, timeZone, reconcile }) => shown(name, 'reconcile', timeZone, reconcile)),
  ];
}
