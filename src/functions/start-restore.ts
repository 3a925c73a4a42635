import { z } from 'zod';
import { type Dependencies, workplaceOf } from '../activities/dependencies.ts';
import { globProblem } from '../domain/blob-filter.ts';
import { matches, patternProblem } from '../domain/container-pattern.ts';
import {
  containerTemplateProblem,
  destinationPattern,
  expand,
  isInjective,
  prefixTemplateProblem,
} from '../domain/container-template.ts';
import { CONTROL_CONTAINER } from '../domain/control-paths.ts';
import type { RestoreTask } from '../domain/restore.ts';
import { answering, readBody } from './answering.ts';
import { type ChosenPoint, choosePoint } from './choose-point.ts';
import { HttpError } from './http-error.ts';
import { answerStart, startRun } from './start-run.ts';

/** Text that is right when `problem` has nothing to say about it. */
function text(problem: (value: string) => string | undefined) {
  return z
    .string()
    .max(1024)
    .superRefine((value, context) => {
      const message = problem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

const body = z.strictObject({
  restorePoint: z.string().max(100).optional(),
  at: z.iso.datetime({ offset: true, error: 'a time such as 2026-11-20T23:30:00Z' }).optional(),
  job: z.string().optional(),
  containers: z.array(text(patternProblem)).max(100).default([]),
  prefix: z.string().max(1024).default(''),
  include: z.array(text(globProblem)).max(50).default([]),
  exclude: z.array(text(globProblem)).max(50).default([]),
  target: z
    .strictObject({
      account: z.string().optional(),
      container: text(containerTemplateProblem).default('{container}'),
      prefix: text(prefixTemplateProblem).default(''),
    })
    .prefault({}),
  existing: z.enum(['fail', 'skip', 'overwrite', 'if-different']).default('fail'),
  rehydrate: z.enum(['standard', 'high']).optional(),
  dryRun: z.boolean().default(false),
});

/** POST /api/restores — brings back what a restore point holds, as a run of its job. */
export function startRestoreHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const wanted = await readBody(request, body);
    if (wanted.at !== undefined && wanted.restorePoint !== undefined) {
      throw new HttpError(400, 'body-invalid', 'body: name a restore point or a time, not both');
    }
    const point = await choosePoint(deps, wanted);
    const { job } = point.summary;
    if (!deps.configuration.jobs.some(({ name }) => name === job)) {
      throw new HttpError(
        409,
        'job-not-found',
        `The configuration has no job "${job}", whose restore point this is`,
        'Configure a job of this name with this vault; it needs no schedule',
      );
    }
    const restore = taskOf(deps, point, wanted);
    const { dryRun } = wanted;
    return answerStart(await startRun(deps, client, { job, mode: 'restore', trigger: 'http', dryRun, restore }));
  });
}

function taskOf(deps: Dependencies, point: ChosenPoint, wanted: z.output<typeof body>): RestoreTask {
  const { summary } = point;
  const { job, source } = workplaceOf(deps, summary.job);
  const { containers, include, exclude, existing, rehydrate, target } = wanted;
  const account = target.account ?? job.source.account;
  if (!deps.configuration.accounts.has(account)) {
    const known = [...deps.configuration.accounts.keys()].join(', ');
    throw new HttpError(
      400,
      'account-unknown',
      `body.target.account: no account "${account}" is configured`,
      `One of: ${known}. Others are named in "accounts" of strongroom.json`,
    );
  }
  const endpoint = deps.blobs(account).endpoint;
  const held = [...new Map(summary.parts.map((part) => [part.container, part.destination]))].filter(
    ([name]) => containers.length === 0 || containers.some((pattern) => matches(pattern, name)),
  );
  if (held.length > 1 && !isInjective(target.container, target.prefix)) {
    throw new HttpError(
      400,
      'body-invalid',
      `body.target: ${held.length} containers would be restored to one place and overwrite each other; write {container} in its container, or in its prefix with a slash after it`,
    );
  }
  const into = held
    .map(([name]) => expand(target.container, name))
    .find((name) => isBackup(deps, point, endpoint, name));
  if (into !== undefined) {
    throw new HttpError(
      400,
      'body-invalid',
      `body.target: "${into}" in ${account} is where a backup lies; restoring into it would change it`,
      'Restore to another container, such as "{container}-restored"',
    );
  }
  return {
    point: summary.id,
    account,
    container: target.container,
    prefix: target.prefix,
    existing,
    containers,
    startsWith: wanted.prefix,
    include,
    exclude,
    ...(rehydrate && { rehydrate }),
    original:
      summary.source === endpoint &&
      endpoint === source.endpoint &&
      target.container === '{container}' &&
      target.prefix === '',
  };
}

/** Whether a container of this account holds a backup: that of this restore point, or what any job copies to. */
function isBackup(deps: Dependencies, { summary, vault }: ChosenPoint, endpoint: string, container: string): boolean {
  const isVault = (alias: string) => deps.blobs(alias).endpoint === endpoint;
  const { jobs } = deps.configuration;
  if (isVault(vault) && summary.parts.some(({ destination }) => destination === container)) return true;
  return jobs.some(
    ({ source, destination }) =>
      isVault(destination.account) &&
      (container === CONTROL_CONTAINER ||
        source.containers.some((pattern) => matches(destinationPattern(destination.container, pattern), container))),
  );
}
