import { type AppSettings, withSettings } from './app-settings.ts';
import { type Configuration, loadConfiguration } from './configuration.ts';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';

/** What a configuration would be that is not in force. */
export interface CheckedConfiguration {
  problems: ConfigurationProblem[];
  /** Absent if there are problems. Has no secret. */
  counts?: { jobs: number; archives: number };
}

const FILE = 'strongroom.json';

/**
 * Checks a configuration as the start of the app does, and changes nothing. It fills in no app settings: whether a
 * value fits another one would say, character by character, what a setting holds.
 */
export function checkConfiguration(value: unknown, settings: AppSettings): CheckedConfiguration {
  const { problems: unfilled } = withSettings(value, {});
  const places = new Map(unfilled.map(({ place, message }) => [place, message]));
  try {
    const found: Configuration = loadConfiguration({ text: JSON.stringify(value), file: FILE, settings, fillFrom: {} });
    return { problems: [], counts: { jobs: found.jobs.length, archives: found.archives.length } };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map(({ place, message }) =>
      places.get(place) === message ? { place, message: NOT_FILLED } : { place, message },
    );
    return { problems };
  }
}

const NOT_FILLED = 'this refers to an app setting, and a check fills in none; write the text itself to check it';
