import {
  CONTROL_CONTAINER,
  isLiteral,
  isValidContainerName,
  patternsOverlap,
} from '#domain/blobs/container-pattern.ts';
import { destinationPattern, expand, isInjective, sourceExpandingTo } from '#domain/blobs/container-template.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** The parts of a job or an archive rule that these checks need. */
export interface JobShape {
  kind: 'job' | 'rule';
  /** Such as `jobs[0]` or `archives[0]`. */
  place: string;
  source: { account: string; containers: string[] };
  destination: { account: string; container: string; prefix: string };
}

/** Identifies the account of an alias: two aliases of one account have equal texts. */
export type AccountIdentity = (alias: string) => string;

/**
 * Finds options that are valid individually but contradict each other, within one job or rule or between several.
 */
export function crossChecks(jobs: readonly JobShape[], identity: AccountIdentity): ConfigurationProblem[] {
  return [
    ...jobs.flatMap((job) => [...destinationProblems(job), ...ownSourceProblems(job, identity)]),
    ...jobs.flatMap((job, index) =>
      jobs.slice(0, index).flatMap((earlier) => sharedDestination(earlier, job, identity)),
    ),
    ...circleProblems(jobs, identity),
  ];
}

const quote = (text: string) => JSON.stringify(text);

function destinationProblems({ kind, place, source, destination }: JobShape): ConfigurationProblem[] {
  const at = `${place}.destination.container`;
  const template = destination.container;
  const problems: ConfigurationProblem[] = [];
  const several = new Set(source.containers).size > 1 || source.containers.some((pattern) => !isLiteral(pattern));
  if (several && !isInjective(template, destination.prefix)) {
    problems.push({
      place: at,
      message:
        `${quote(template)} is the same destination for several source containers, whose blobs would overwrite each ` +
        'other; add {container} to it, for example "{container}backup", or to the prefix with a slash after it, ' +
        'for example "{container}/"',
    });
  }
  for (const pattern of new Set(source.containers)) {
    const made = expand(template, pattern);
    if (isLiteral(pattern) && !isValidContainerName(made)) {
      problems.push({
        place: at,
        message:
          `${quote(template)} turns ${quote(pattern)} into ${quote(made)}, which is not a valid container name; ` +
          `${kind === 'job' ? 'give this container a job of its own' : 'write the container name in full'}`,
      });
    }
    const source = sourceExpandingTo(template, pattern, CONTROL_CONTAINER);
    if (source !== undefined) {
      problems.push({
        place: at,
        message:
          `${quote(template)} turns ${quote(source)} into "${CONTROL_CONTAINER}", the control container of the ` +
          'vault; choose another template, because nothing may be copied into it',
      });
    }
  }
  return problems;
}

/** Two overlapping patterns, if `to` may read what `from` writes; otherwise undefined. Ignores prefixes. */
function feeds(
  from: JobShape,
  to: JobShape,
  identity: AccountIdentity,
): { made: string; pattern: string; read: string } | undefined {
  if (identity(from.destination.account) !== identity(to.source.account)) return undefined;
  for (const pattern of from.source.containers) {
    const made = destinationPattern(from.destination.container, pattern);
    const read = to.source.containers.find((candidate) => patternsOverlap(made, candidate));
    if (read !== undefined) return { made, pattern, read };
  }
  return undefined;
}

function ownSourceProblems(job: JobShape, identity: AccountIdentity): ConfigurationProblem[] {
  const overlap = feeds(job, job, identity);
  if (!overlap) return [];
  const { source, destination } = job;
  const account =
    source.account === destination.account
      ? `both are in ${source.account}`
      : `${source.account} and ${destination.account} are the same account`;
  const found =
    job.kind === 'rule'
      ? `the rule would archive its own copies: ${account}, in the container ${quote(overlap.made)}; use another ` +
        'account or container'
      : `the job would back up its own copies: ${account}, and the destination ${quote(overlap.made)} (of ` +
        `${quote(overlap.pattern)}) overlaps the source pattern ${quote(overlap.read)}; use another account, or ` +
        'patterns that do not overlap';
  return [{ place: `${job.place}.destination`, message: `the destination is inside the source, and ${found}` }];
}

function sharedDestination(a: JobShape, b: JobShape, identity: AccountIdentity): ConfigurationProblem[] {
  if (identity(a.destination.account) !== identity(b.destination.account)) return [];
  // A rule shares its destination with no other writer: it would take their blobs for versions of its own.
  const bothJobs = a.kind === 'job' && b.kind === 'job';
  const sameMapping =
    bothJobs &&
    identity(a.source.account) === identity(b.source.account) &&
    a.destination.container === b.destination.container &&
    a.destination.prefix === b.destination.prefix;
  // Two jobs that map the same containers in the same way write the same blobs.
  if (sameMapping && isInjective(a.destination.container, a.destination.prefix)) return [];
  for (const fromA of a.source.containers) {
    for (const fromB of b.source.containers) {
      if (sameMapping && isLiteral(fromA) && fromA === fromB) continue;
      const madeA = destinationPattern(a.destination.container, fromA);
      const madeB = destinationPattern(b.destination.container, fromB);
      if (
        patternsOverlap(madeA, madeB) &&
        prefixesOverlap(expand(a.destination.prefix, fromA), expand(b.destination.prefix, fromB))
      ) {
        return [
          {
            place: `${b.place}.destination`,
            message:
              `${a.place} copies ${bothJobs ? 'from another source ' : ''}to the same destination, and the two would ` +
              `overwrite each other's blobs: ${quote(madeA)} (of ${quote(fromA)}) and ${quote(madeB)} (of ` +
              `${quote(fromB)}) overlap in ${b.destination.account}; give one of them another container or prefix`,
          },
        ];
      }
    }
  }
  return [];
}

/** Either prefix may have stars, each for a part of a container's name, so this compares the texts before the first. */
function prefixesOverlap(a: string, b: string): boolean {
  const [headA, headB] = [a.split('*')[0]!, b.split('*')[0]!];
  return headA.startsWith(headB) || headB.startsWith(headA);
}

/** Finds jobs and rules that copy in a circle: each round would copy the copies of the round before. */
function circleProblems(jobs: readonly JobShape[], identity: AccountIdentity): ConfigurationProblem[] {
  const next = jobs.map((from) =>
    jobs.flatMap((to, index) => (from !== to && feeds(from, to, identity) ? [index] : [])),
  );
  const problems: ConfigurationProblem[] = [];
  const done = new Set<number>();
  const visit = (at: number, path: number[]) => {
    const start = path.indexOf(at);
    if (start >= 0) {
      const circle = path.slice(start);
      const [who, remedy] = circle.some((index) => jobs[index]!.kind === 'rule')
        ? ['these', 'give one of them another destination container or account']
        : ['these jobs', 'narrow the source patterns so that they do not match copies'];
      problems.push({
        place: `${jobs[circle[0]!]!.place}.destination`,
        message:
          `${who} copy in a circle, each from the destination of the one before, and would back up their own ` +
          `copies: ${[...circle, at].map((index) => jobs[index]!.place).join(' → ')}; ${remedy}`,
      });
      return;
    }
    if (done.has(at)) return;
    for (const to of next[at]!) visit(to, [...path, at]);
    done.add(at);
  };
  for (const index of jobs.keys()) visit(index, []);
  return problems;
}
