import type { FilledIn } from './app-settings.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** App settings may be secret, and may be named by mistake: no problem shows what one of them holds. */

const TO_SEE = 'what an app setting holds is not shown here, so write the text itself to see what is wrong';

/** A problem of one option, whose message may quote the option. */
export function hideOption(problem: ConfigurationProblem, filledIn: FilledIn): ConfigurationProblem {
  const names = filledIn.get(problem.place);
  if (names === undefined) return problem;
  const message = `this is not valid with ${settings(names)} in place; ${TO_SEE}`;
  return { place: problem.place, message };
}

/** A problem of several options together, whose message may quote any option of the jobs and rules that it names. */
export function hideOptions(problem: ConfigurationProblem, filledIn: FilledIn): ConfigurationProblem {
  const { place, message } = problem;
  const entries = new Set(`${place} ${message}`.match(/\b(?:jobs|archives)\[\d+\]/g));
  const concerned = [...filledIn].filter(([at]) => entries.has(at.slice(0, at.indexOf(']') + 1)));
  if (concerned.length === 0) return problem;
  const names = concerned.flatMap(([, each]) => each);
  const others = [...entries].filter((entry) => !place.startsWith(entry));
  const rest = others.length > 0 ? others.join(' and ') : 'other options';
  return { place, message: `this does not fit ${rest} with ${settings(names)} in place; ${TO_SEE}` };
}

function settings(names: string[]): string {
  const unique = [...new Set(names)].map((name) => `"${name}"`);
  return `the app setting${unique.length === 1 ? '' : 's'} ${unique.join(', ')}`;
}
