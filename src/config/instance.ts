import { type AppSettings, settingOf } from './app-settings.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** The app setting with the name of this app, so that an operator does not prune production by mistake. */
export const INSTANCE_SETTING = 'STRONGROOM_NAME';

export function instanceProblems(settings: AppSettings): ConfigurationProblem[] {
  const name = settingOf(settings, INSTANCE_SETTING);
  if (name === undefined || /^[\p{L}\p{N}\p{P}\p{S} ]{1,60}$/u.test(name)) return [];
  const message = `the app setting "${INSTANCE_SETTING}" must have at most 60 characters that can be seen`;
  return [{ place: INSTANCE_SETTING, message }];
}
