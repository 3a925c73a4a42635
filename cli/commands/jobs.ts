import { EXIT } from '../../host/exit-codes.ts';
import { type Command, commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { asCommands } from '../connect/hints.ts';
import { counted, grouped } from '../print/amounts.ts';
import { stateWord } from '../print/style.ts';
import { printArray } from '../print/whole-list.ts';

type Job = AnswerOf<'getJob'>;

const JOB = { name: 'JOB', completes: 'job' } as const;
const JOB_OR_RULE = { name: 'JOB', completes: 'job-or-rule' } as const;

const list: Command = {
  path: ['jobs', 'list'],
  about: 'List the jobs as they are in force',
  prints: 'list',
  examples: [['jobs list', 'their accounts, schedules and next times']],
  async run(session, input) {
    const { out } = session;
    const { bytes, body } = await session.api.call<'listJobs'>('GET', 'jobs');
    printArray(session, input, {
      ...{ bytes, rows: body.jobs },
      columns: [
        { name: 'job', value: ({ name }) => name },
        { name: 'mode', value: ({ mode }) => mode },
        { name: 'from', value: sourceOf, shrinks: true },
        {
          name: 'to',
          value: ({ destination }) => `${destination.account}/${destination.container}`,
          shrinks: true,
          from: 100,
        },
        { name: 'schedule', value: (job) => backupOf(job)?.words ?? 'on demand', shrinks: true },
        { name: 'next', value: (job) => out.time(backupOf(job)?.next[0]) },
      ],
      idOf: ({ name }) => name,
      none: 'The configuration has no job.',
    });
    return EXIT.done;
  },
};

function backupOf({ schedules }: Job) {
  return schedules.find(({ kind }) => kind === 'backup');
}

function sourceOf({ source }: Job): string {
  const tables = source.tables.map((table) => `table ${table}`);
  return `${source.account}: ${[...source.containers, ...tables].join(', ')}`;
}

const show: Command = {
  path: ['jobs', 'show'],
  about: 'Show a job as it is in force, with its next times',
  arguments: [JOB],
  prints: 'document',
  examples: [
    ['jobs show nightly', 'its schedules and its policy'],
    ['jobs show nightly --json', 'every option with its default'],
  ],
  async run(session, input) {
    const { out } = session;
    const params = { job: input.argument(0) };
    const { bytes, body } = await session.api.call<'getJob'>('GET', 'jobs/{job}', { params });
    if (out.format === 'json') {
      out.bytes(bytes);
      return EXIT.done;
    }
    const { destination, retention, timeZone } = body;
    out.line(`${body.name}  ${body.mode}  ${sourceOf(body)} to ${destination.account}/${destination.container}`);
    for (const { kind, words, next } of body.schedules) {
      out.line(
        `${kind}: ${words} (${timeZone}), next ${next
          .slice(0, 3)
          .map((time) => out.time(time))
          .join(', ')}`,
      );
    }
    if (body.schedules.length === 0) out.line('no schedule: it runs on demand');
    const rules = Object.entries(retention ?? {}).filter(([name]) => name.startsWith('keep'));
    const words = rules.map(([name, value]) => `${name} ${value}`).join(', ');
    out.line(words === '' ? 'retention: all restore points stay' : `retention: ${words}`);
    return EXIT.done;
  },
};

const KEEP = { takes: 'count', placeholder: 'N' } as const;

const whatIf: Command = {
  path: ['jobs', 'what-if'],
  about: 'Show which restore points a retention policy would keep now. Changes nothing',
  details: 'Without any rule, it is the policy of the job.',
  arguments: [JOB],
  options: {
    'keep-last': { ...KEEP, about: 'the newest N' },
    'keep-daily': { ...KEEP, about: 'one for each of N days' },
    'keep-weekly': { ...KEEP, about: 'one for each of N weeks' },
    'keep-monthly': { ...KEEP, about: 'one for each of N months' },
    'keep-yearly': { ...KEEP, about: 'one for each of N years' },
    'keep-within': { takes: 'text', placeholder: '30d', about: 'all that are not older' },
  },
  prints: 'list',
  examples: [
    ['jobs what-if nightly', 'what a prune would keep now'],
    ['jobs what-if nightly --keep-daily 7 --keep-monthly 12', 'what another policy would keep'],
  ],
  async run(session, input) {
    const { out } = session;
    const { bytes, body } = await session.api.call<'tryRetention'>('GET', 'jobs/{job}/retention', {
      params: { job: input.argument(0) },
      query: {
        ...{ keepLast: input.text('keep-last'), keepDaily: input.text('keep-daily') },
        ...{ keepWeekly: input.text('keep-weekly'), keepMonthly: input.text('keep-monthly') },
        ...{ keepYearly: input.text('keep-yearly'), keepWithin: input.text('keep-within') },
      },
    });
    printArray(session, input, {
      ...{ bytes, rows: body.restorePoints },
      columns: [
        { name: 'what', value: ({ keep }) => stateWord(keep ? 'keep' : 'remove') },
        { name: 'restore-point', value: ({ id }) => id },
        { name: 'time', value: ({ time }) => out.time(time), from: 100 },
        { name: 'why', value: ({ reasons }) => reasons.join(', '), shrinks: true },
      ],
      idOf: ({ id }) => id,
      none: 'The job has no restore point yet.',
    });
    if (out.format !== 'text') return EXIT.done;
    const which = body.isInForce ? 'The policy of the job' : 'This policy';
    const decides = `${which} keeps ${counted(body.keeps, 'restore point')} and removes ${grouped(body.removes)}.`;
    out.note(body.policy === null ? 'The job has no policy: every restore point stays.' : decides);
    if (!body.isComplete) out.note('There are more: older ones are not in this list.');
    if (body.problem) out.note(`${body.problem.message}. ${asCommands(body.problem.hint)}`);
    return EXIT.done;
  },
};

const pause: Command = {
  path: ['jobs', 'pause'],
  about: 'Pause the schedules of a job or archive rule',
  arguments: [JOB_OR_RULE],
  options: {
    reason: { takes: 'text', placeholder: 'TEXT', about: 'why; required' },
    until: { takes: 'time', placeholder: 'TIME', about: 'when the pause ends by itself' },
  },
  prints: 'document',
  examples: [['jobs pause nightly --reason "we move the data" --until 2026-12-01', 'for some days']],
  async run(session, input) {
    const { out } = session;
    const until = input.text('until');
    const { bytes, body } = await session.api.call<'pauseJob'>('POST', 'jobs/{job}/pause', {
      params: { job: input.argument(0) },
      body: { reason: input.required('reason'), ...(until !== undefined && { until }) },
    });
    if (out.format === 'json') out.bytes(bytes);
    else out.line(`${body.job}  is paused${body.paused.until ? ` until ${out.time(body.paused.until)}` : ''}`);
    return EXIT.done;
  },
};

const resume: Command = {
  path: ['jobs', 'resume'],
  about: 'Resume the schedules of a job or archive rule',
  arguments: [JOB_OR_RULE],
  prints: 'document',
  examples: [['jobs resume nightly', 'what the pause covered is not made up for']],
  async run(session, input) {
    const { out } = session;
    const params = { job: input.argument(0) };
    const { bytes, body } = await session.api.call<'resumeJob'>('POST', 'jobs/{job}/resume', { params });
    if (out.format === 'json') out.bytes(bytes);
    else out.line(`${body.job}  is not paused`);
    return EXIT.done;
  },
};

const chain: Command = {
  path: ['jobs', 'chain'],
  about: 'Show the head of the chain of a job, to keep it elsewhere',
  arguments: [JOB],
  prints: 'document',
  examples: [['jobs chain nightly >> /mnt/elsewhere/heads.txt', 'one line that proves everything up to it']],
  async run(session, input) {
    const { out } = session;
    const params = { job: input.argument(0) };
    const { bytes, body } = await session.api.call<'showChain'>('GET', 'jobs/{job}/chain', { params });
    if (out.format === 'json') out.bytes(bytes);
    else if (body.head) out.line(`${body.head.number}:${body.head.sha256}`);
    else out.note(`The chain of ${body.job} has no record yet.`);
    return EXIT.done;
  },
};

export const JOBS = commands(list, show, whatIf, pause, resume, chain);
