import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { nearest } from '#domain/input/nearest.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';

/** The archive rule that a request names. Throws 404 if the configuration does not have it. */
export function configuredRule({ configuration }: Dependencies, name: string): ArchiveRule {
  const rule = configuration.archives.find((each) => each.name === name);
  if (rule) return rule;
  const names = configuration.archives.map((each) => each.name);
  const near = nearest(name, names);
  const asked = near === undefined ? '' : `Did you mean "${near}"? `;
  const hint = names.length > 0 ? `${asked}The rules are: ${names.join(', ')}` : 'The configuration has no "archives"';
  throw new HttpError(404, 'rule-not-found', `The configuration has no archive rule ${quoted(name)}`, hint);
}
