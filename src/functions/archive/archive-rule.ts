import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { HttpError } from '../http/http-error.ts';

/** The rule that a request names. Throws 404 with those there are. */
export function ruleOf({ configuration }: Dependencies, name: string): ArchiveRule {
  const rule = configuration.archives.find((each) => each.name === name);
  if (rule) return rule;
  const names = configuration.archives.map((each) => each.name);
  const hint = names.length > 0 ? `The rules are: ${names.join(', ')}` : 'The configuration has no "archives"';
  throw new HttpError(404, 'rule-not-found', `There is no archive rule "${name}"`, hint);
}
