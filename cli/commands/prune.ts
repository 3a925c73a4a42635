import { EXIT } from '../../host/exit-codes.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { type Command, commands } from '../command/command.ts';
import { counted, lasting, sizeOf } from '../print/amounts.ts';
import type { Output } from '../print/output.ts';
import { stateWord } from '../print/style.ts';
import type { Report } from '../runs/describe-run.ts';
import { printProblems } from '../runs/print-run.ts';
import { reportStart, WATCH_OPTIONS, watchToEnd } from '../runs/start-and-follow.ts';
import type { Session } from '../session.ts';

const PLAN = { name: 'PLAN', completes: 'run' } as const;
const ALL = { takes: 'nothing', about: 'also list the restore points that stay, with their reasons' } as const;

const plan: Command = {
  path: ['prune', 'plan'],
  about: 'Plan a prune: which restore points the policy keeps, and what would be deleted. Deletes nothing',
  arguments: [{ name: 'JOB', completes: 'job', isOptional: true }],
  options: { all: ALL, timeout: WATCH_OPTIONS.timeout },
  prints: 'watch',
  examples: [
    ['prune plan nightly', 'what a prune would do now'],
    ['prune plan nightly --all', 'with every reason'],
    ['prune plan nightly --json', 'the whole report, whose plan has the hash'],
  ],
  async run(session, input) {
    const { out } = session;
    const [job] = input.arguments;
    const started = await session.api.call<'startPrune'>('POST', 'prunes', { body: job === undefined ? {} : { job } });
    if (out.format === 'text') out.note(`${started.body.id}  planning`);
    return watchToEnd(session, input, started.body.id, (run) => {
      printPlan(out, run, input.has('all'));
      if (run.plan && run.status !== 'failed') sayHow(out, run);
    });
  },
};

const show: Command = {
  path: ['prune', 'show'],
  about: 'Show a plan again, or what a prune has done',
  arguments: [PLAN],
  options: { all: ALL },
  prints: 'document',
  examples: [['prune show nightly-20261122T040000Z-z9y8x7 --all', 'every decision of this plan']],
  async run(session, input) {
    const { bytes, body } = await reportOf(session, input.argument(0));
    if (session.out.format === 'json') session.out.bytes(bytes);
    else {
      printPlan(session.out, body, input.has('all'));
      if (body.prune && !body.prune.plan) sayHow(session.out, body);
    }
    return EXIT.done;
  },
};

const apply: Command = {
  path: ['prune', 'apply'],
  about: 'Carry out a plan: mark restore points, and delete content that nothing needs any more',
  details:
    'At a terminal, it shows the plan and asks for the name of the job. Elsewhere it needs --hash and --yes. If ' +
    'anything has changed since the plan was made, it changes nothing and ends with 14.',
  arguments: [PLAN],
  options: {
    hash: { takes: 'text', placeholder: 'HASH', about: 'hash of the plan that you have read' },
    yes: { takes: 'nothing', about: 'ask nothing; needs --hash' },
    ...WATCH_OPTIONS,
  },
  prints: 'run',
  examples: [
    ['prune apply nightly-20261122T040000Z-z9y8x7', 'read it, type the name of the job, and carry it out'],
    ['prune apply nightly-20261122T040000Z-z9y8x7 --hash 3f0c9a52e1b74d86 --yes --watch', 'from a script'],
  ],
  async run(session, input) {
    const { out } = session;
    const id = input.argument(0);
    let hash = input.text('hash');
    if (input.has('yes') && hash === undefined) {
      throw new UsageError(
        '--yes needs --hash: the hash of the plan that you have read. strongroom prune show PLAN has it.',
      );
    }
    if (!input.has('yes')) {
      const { bytes, body } = await reportOf(session, id);
      if (!body.plan)
        throw new CliError(`${id} has no plan. To make one: strongroom prune plan ${body.job}`, EXIT.refused);
      if (out.format === 'text') printPlan(out, body, false);
      if (out.format === 'json') out.bytes(bytes);
      const question = `Carry out this plan? Type the name of the job, ${body.job}:`;
      if (!session.canAsk || !(await session.types(body.job, question))) {
        out.note('Nothing was changed.');
        if (!session.canAsk) sayHow(out, body);
        return EXIT.unconfirmed;
      }
      hash ??= body.plan.hash;
    }
    const started = await session.api.call<'startPrune'>('POST', 'prunes', { body: { plan: id, hash: hash! } });
    return reportStart(session, input, started);
  },
};

function reportOf({ api }: Session, id: string) {
  return api.call<'getRun'>('GET', 'runs/{id}', { params: { id }, query: { containers: 'problems' } });
}

/** A plan in words: what is marked, whose content is deleted, and how much that is. */
export function printPlan(out: Output, run: Report, isWhole: boolean): void {
  const { plan } = run;
  out.line(stateWord(run.status === 'completed-with-failures' ? 'incomplete' : run.status), `  ${run.id}`);
  printProblems(out, run.problems);
  if (!plan) return;
  const { keeps, removes, empties, items, bytes, emptiesFrom } = plan.summary;
  const amount = items === null ? '' : `: ${counted(items, 'item')}${bytes === null ? '' : `, ${sizeOf(bytes)}`}`;
  const verb = run.prune?.plan ? 'deleted' : 'deletes';
  out.line(
    `keeps ${counted(keeps, 'restore point')}, marks ${removes}, ${verb} the content of ${empties}${amount}. ` +
      (plan.marginMs > 0
        ? `What it marks stays for ${lasting(plan.marginMs / 1000)}, until ${out.time(emptiesFrom)}.`
        : 'The job has no margin: the same prune marks a restore point and deletes its content.'),
  );
  // Without a margin, one prune marks and deletes, except what is read.
  const isAtOnce = (id: string) => plan.expired.includes(id);
  const readBy = (id: string) =>
    plan.reading.filter(({ point }) => point === id).map(({ run: by }) => `${by} reads it`);
  const rows = plan.decisions.flatMap(({ id, keep, reasons }) =>
    keep && !isWhole
      ? []
      : [{ what: keep ? 'keep' : isAtOnce(id) ? 'empty' : 'mark', id, why: [...reasons, ...readBy(id)].join(', ') }],
  );
  const markedBefore = plan.expired.filter((id) => !plan.remove.includes(id));
  const expired = markedBefore.map((id) => ({
    what: 'empty',
    id,
    why: 'marked by an earlier prune, and its margin is over',
  }));
  const reading = plan.reading
    .filter(({ point }) => !plan.remove.includes(point))
    .map(({ point, run: by }) => ({ what: 'keep', id: point, why: `${by} reads it` }));
  const all = [...rows, ...expired, ...reading];
  if (all.length > 0) {
    out.table(
      [
        { name: 'what', value: ({ what }) => stateWord(what) },
        { name: 'restore-point', value: ({ id }) => id },
        { name: 'why', value: ({ why }) => why, shrinks: true },
      ],
      all,
    );
  }
  for (const place of plan.braked) out.line(`A safety brake is engaged on ${place}: nothing is deleted there.`);
}

function sayHow(out: Output, { id, plan, status }: Report): void {
  if (!plan || status === 'failed') return;
  out.note(`To carry it out: strongroom prune apply ${id} --hash ${plan.hash} --yes`);
}

export const PRUNE = commands(plan, show, apply);
