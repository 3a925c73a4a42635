import type { Answer } from './answer.ts';
import { type Mark, markOfJob, markOfSeverity } from './mark.ts';
import { lackWords } from './points.ts';
import { counted, listed } from './quantity.ts';
import { contentOf, nounOf } from './run-words.ts';
import type { Day } from './strip.ts';
import { about, relative } from './time.ts';

export type OverviewAnswer = Answer<'overview'>;
type Job = OverviewAnswer['jobs'][number];
type Running = Job['running'][number];
type Rule = OverviewAnswer['archives'][number];

/** Something that needs a person, the most severe first. */
export interface Attention {
  id: string;
  mark: Mark;
  title: string;
  message: string;
  hint: string;
  /** ISO 8601; null if it is not known. */
  since: string | null;
  /** What to look at: an address below `/ui`. */
  to: string;
  /** The job of which a backup can be started, where that may help. */
  start: string | null;
}

export interface Headline {
  mark: Mark;
  text: string;
  /** In the title of the tab. */
  tab: string;
  /** Nothing has ever been backed up. */
  isNew: boolean;
  facts: string[];
}

export interface JobLine {
  name: string;
  mark: Mark;
  /** Beside the mark: `21 h ago`, `62 %, about 4 min left`. */
  detail: string;
  /** The run that the mark is about; null if there is none. */
  run: string | null;
  /** Of the run in progress, 0 to 1; null if none is, or how far it is is not known. */
  fraction: number | null;
  isRunning: boolean;
  next: string | null;
  point: { id: string; time: string; content: string; lacks: string; isHeld: boolean; isBraked: boolean } | null;
  verified: { mark: Mark; text: string; at: string } | null;
  strip: Day[] | null;
}

export interface RuleLine {
  name: string;
  mark: Mark;
  detail: string;
  next: string | null;
  /** Uploads that failed permanently; null if that is not known. */
  failed: number | null;
}

/** The others are notes: they need no one to do anything. */
const NEEDS = new Set(['critical', 'error', 'warning']);
/** A backup now may solve these. */
const STARTS = new Set(['failed', 'overdue', 'not-started']);

export function attentionOf(overview: OverviewAnswer): Attention[] {
  const { conditions, jobs, archives } = overview;
  const found = conditions.map((condition): Attention => {
    const { id, severity, title, message, hint, since, job } = condition;
    const isOfBackup = id.split('/')[1] === 'backup';
    return {
      ...{ id, title, message, hint, since },
      mark: markOfSeverity(severity),
      to: placeOf(condition),
      start: STARTS.has(condition.condition) && isOfBackup ? (job ?? null) : null,
    };
  });
  const unknown = [...jobs, ...archives].flatMap(({ name, problem }): Attention[] =>
    problem === null || conditions.some(({ job }) => job === name)
      ? []
      : [
          {
            ...{ id: `unknown/${name}`, mark: markOfJob('unknown'), title: `${name}: it is not known how it stands` },
            ...{ message: problem.message, hint: problem.hint, since: null, to: '/setup', start: null },
          },
        ],
  );
  return [...found, ...unknown];
}

function placeOf({ condition, job, run, account }: OverviewAnswer['conditions'][number]): string {
  if (condition === 'brake' && run !== undefined) return `/points/${encodeURIComponent(run)}`;
  if (condition === 'poison' && job !== undefined) return `/archives/${encodeURIComponent(job)}`;
  if (condition === 'paused' && job !== undefined) return `/jobs/${encodeURIComponent(job)}`;
  if (run !== undefined) return `/runs/${encodeURIComponent(run)}`;
  if (account !== undefined) return '/setup';
  if (job !== undefined) return `/runs?job=${encodeURIComponent(job)}`;
  return '/settings';
}

/** Is it all right? In a sentence. */
export function headlineOf(overview: OverviewAnswer, now: Date): Headline {
  const { jobs, archives } = overview;
  const needs = attentionOf(overview).filter(({ mark }) => mark.word !== 'note');
  const severe = overview.conditions.filter(({ severity }) => NEEDS.has(severity));
  const running = jobs.filter((job) => job.running.some(({ mode }) => mode in BACKUP_WORDS));
  // It may be paused, or its runs failed. One that is not known needs attention.
  const never = jobs.filter(({ restorePoint }) => restorePoint === null).map(({ name }) => name);
  const facts = factsOf(overview, now);
  const of = (mark: Mark, text: string, tab: string, isNew = false): Headline => ({ mark, text, tab, isNew, facts });
  if (needs.length > 0) {
    const worst = severe[0] ? markOfSeverity(severe[0].severity) : needs[0]!.mark;
    const text = `${counted(needs.length, 'thing needs', 'things need')} attention`;
    return of({ ...worst, shape: 'triangle' }, text, `▲ ${text}`);
  }
  if (running.length > 0) {
    const names = listed(running.map(({ name }) => name));
    const verb = running.length === 1 ? 'is' : 'are';
    return of(markOfJob('running'), `${names} ${verb} being backed up`, `● ${names}`);
  }
  if (jobs.length > 0 && never.length === jobs.length) {
    return of(markOfJob('never'), 'Nothing has been backed up yet', 'No backup yet', true);
  }
  const paused = [...jobs, ...archives].filter((each) => each.paused !== null).map(({ name }) => name);
  if (never.length + paused.length > 0) {
    const text = [
      ...(never.length > 0 ? [`${listed(never)} ${never.length === 1 ? 'has' : 'have'} no backup yet`] : []),
      ...(paused.length > 0 ? [`${listed(paused)} ${paused.length === 1 ? 'is' : 'are'} paused`] : []),
    ].join(', ');
    return of(markOfJob(never.length > 0 ? 'never' : 'paused'), text, text);
  }
  const text =
    jobs.length > 0
      ? 'Everything is backed up'
      : archives.length > 0
        ? 'Every upload is archived'
        : 'Nothing is configured';
  return of({ ...markOfJob('ok'), word: 'all is well' }, text, `✓ ${text}`);
}

const BACKUP_WORDS = { full: 1, incremental: 1, retry: 1 };

function factsOf({ jobs, totals }: OverviewAnswer, now: Date): string[] {
  const due = jobs
    .flatMap(({ name, runs }) => runs.flatMap(({ kind, next }) => (kind === 'backup' && next ? [{ name, next }] : [])))
    .sort((a, b) => a.next.localeCompare(b.next))[0];
  const points = jobs.flatMap(({ restorePoint }) => restorePoint ?? []);
  const oldest = points.map(({ time }) => time).sort()[0];
  const checked = points.flatMap(({ verified }) => verified ?? []).sort((a, b) => b.at.localeCompare(a.at))[0];
  const content = contentOf(totals.held);
  const facts = [
    ...(oldest
      ? [
          `${points.length === 1 ? 'Newest restore point' : 'Oldest of the newest restore points'} ${relative(new Date(oldest), now)}`,
        ]
      : []),
    ...(checked && checked.failed === 0 ? [`last verified ${relative(new Date(checked.at), now)}`] : []),
    ...(due ? [`next backup: ${due.name} ${relative(new Date(due.next), now)}`] : []),
    ...(content ? [`${content} protected`] : []),
  ];
  return facts.map((fact, index) => (index === 0 ? fact.charAt(0).toUpperCase() + fact.slice(1) : fact));
}

export function jobLineOf(job: Job, now: Date): JobLine {
  const { name, state, running, runs, restorePoint } = job;
  const backup = runs.find(({ kind }) => kind === 'backup');
  const main: Running | undefined = running.find(({ mode }) => mode in BACKUP_WORDS) ?? running[0];
  const last = backup?.last ?? null;
  return {
    name,
    mark: state === 'running' ? { ...markOfJob(state), word: main ? runningWord(main) : 'running' } : markOfJob(state),
    detail: main ? progressText(main, now) : last ? agoOf(state, last.finishedAt, now) : '',
    run: main?.id ?? last?.id ?? null,
    fraction: main?.fraction ?? null,
    isRunning: main !== undefined,
    next: backup?.next ?? null,
    point: restorePoint && {
      ...{ id: restorePoint.id, time: restorePoint.time },
      ...{ isHeld: restorePoint.isHeld, isBraked: restorePoint.isBraked },
      content: contentOf(restorePoint),
      lacks: restorePoint.lacks ? lackWords(restorePoint.lacks) : '',
    },
    verified: restorePoint?.verified ? verifiedOf(restorePoint.verified) : null,
    strip: job.strip,
  };
}

/** What is overdue or paused was not done then: the time is that of the last run. */
function agoOf(state: string, finishedAt: string, now: Date): string {
  const ago = relative(new Date(finishedAt), now);
  return ['ok', 'failed', 'incomplete'].includes(state) ? ago : `last run ${ago}`;
}

function runningWord({ mode }: Running): string {
  return mode in BACKUP_WORDS ? 'backing up' : `${nounOf(mode)} running`;
}

const PHASES: Readonly<Record<string, string>> = {
  starting: 'starting',
  listing: 'listing',
  waiting: 'waiting for copies',
  publishing: 'finishing',
};

function progressText({ phase, fraction, secondsLeft, startedAt }: Running, now: Date): string {
  const started = `started ${relative(new Date(startedAt), now)}`;
  if (phase && PHASES[phase]) return PHASES[phase];
  if (fraction === null) return started;
  const left = secondsLeft === null ? started : `${about(secondsLeft)} left`;
  return `${Math.floor(fraction * 100)} %, ${left}`;
}

type Proof = NonNullable<NonNullable<Job['restorePoint']>['verified']>;

function verifiedOf({ kind, portion, failed, at }: Proof): JobLine['verified'] {
  const what = kind === 'deep' && portion !== undefined && portion !== '100%' ? `deep ${portion}` : kind;
  if (failed > 0) return { mark: { tone: 'bad', shape: 'cross', word: 'damaged' }, text: what, at };
  // A listing reads no content, so it is not shown as if it had.
  if (kind === 'quick') return { mark: { tone: 'quiet', shape: 'half', word: 'listed' }, text: what, at };
  return { mark: { tone: 'good', shape: 'check', word: 'verified' }, text: what, at };
}

export function ruleLineOf(rule: Rule, now: Date): RuleLine {
  const { name, state, runs, running, failedPermanently } = rule;
  const reconcile = runs.find(({ kind }) => kind === 'reconcile');
  const last = reconcile?.last;
  const words: Record<string, string> = { ok: 'reconciled', never: 'not reconciled yet', running: 'reconciling' };
  const mark = markOfJob(state);
  return {
    name,
    mark: { ...mark, word: words[state] ?? mark.word },
    detail: running[0]
      ? `started ${relative(new Date(running[0].startedAt), now)}`
      : last
        ? relative(new Date(last.finishedAt), now)
        : '',
    next: reconcile?.next ?? null,
    failed: failedPermanently,
  };
}

/** Milliseconds until the overview is asked for again. */
export function paceOf({ totals }: OverviewAnswer): number {
  return totals.running > 0 ? 5_000 : 15_000;
}
