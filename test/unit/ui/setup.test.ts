import { describe, expect, it, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { matches } from '#domain/blobs/container-pattern.ts';
import { RIGHTS } from '#domain/rights/right.ts';
import { type Check, checksByAccount, stepsOfSetup, RIGHTS as WORDS } from '../../../ui/model/setup.ts';
import {
  type Choices,
  chosen,
  configurationOf,
  FREQUENCIES,
  fileText,
  firstChoices,
  scheduleOf,
} from '../../../ui/model/wizard.ts';

const check = (change: Partial<Check>): Check => ({
  ...{
    id: 'read-blobs',
    alias: 'SOURCE',
    result: 'ok',
    needed: true,
    for: ['nightly'],
    code: null,
    hint: null,
    command: null,
  },
  ...change,
});

test('every right that the app checks has words', () => {
  expect(Object.keys(WORDS)).toEqual([...RIGHTS]);
});

test('the rights of an account are together, what is missing first', () => {
  const [source, vault] = checksByAccount([
    check({}),
    check({ id: 'read-tags', result: 'missing', hint: 'Grant it.', command: 'az …' }),
    check({ id: 'delete-blobs', alias: 'VAULT', needed: false }),
    check({ id: 'of-a-later-version', alias: 'VAULT', result: 'odd' }),
  ]);
  expect(source).toMatchObject({ alias: 'SOURCE', missing: 1 });
  expect(source!.lines.map(({ right, mark }) => [right, mark.word])).toEqual([
    ['read index tags', 'missing'],
    ['read blobs', 'as it should be'],
  ]);
  expect(vault!.lines.map(({ right }) => right).sort()).toEqual(['not delete blobs', 'of-a-later-version']);
});

describe('the steps of the set-up', () => {
  it('begin with what is not known yet', () => {
    const steps = stepsOfSetup({ health: undefined, checks: undefined, overview: undefined });
    expect(steps.map(({ state }) => state)).toEqual(['now', 'later', 'later', 'later', 'later']);
  });

  const refused = (needs: 'read' | 'status') => ({
    ...{ type: 'about:blank', title: 'Not allowed', status: 403, code: 'not-allowed', detail: 'Not allowed', needs },
  });

  it('say what the caller may not see, and which role may, instead of a wait', () => {
    const steps = stepsOfSetup({
      ...{ health: undefined, healthError: undefined, checks: undefined },
      ...{ overview: undefined, overviewError: refused('read') },
    });
    const role = 'To see it needs the role reader, operator, restorer, pruner or admin';
    expect(steps.map(({ state, text }) => [state, text])).toEqual([
      ...[
        ['unknown', role],
        ['now', 'Asking …'],
        ['later', 'Not checked yet'],
        ['unknown', role],
        ['unknown', role],
      ],
    ]);
  });

  it('do not wait for an answer that has failed', () => {
    const failed = { ...refused('status'), status: 503, code: 'unreachable', needs: undefined };
    const [, accounts] = stepsOfSetup({
      ...{ health: undefined, healthError: failed, checks: undefined, overview: undefined },
    });
    expect(accounts).toMatchObject({ state: 'unknown', text: 'Not known: there is no answer' });
  });

  it('name what is wrong', () => {
    const [, , rights] = stepsOfSetup({
      health: undefined,
      checks: [check({ result: 'missing' })],
      overview: undefined,
    });
    expect(rights).toMatchObject({ state: 'wrong', text: '1 missing' });
  });
});

describe('the configuration that the page writes', () => {
  const settings = {
    SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
    SOURCE__tableServiceUri: 'https://a.table.core.windows.net',
    VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
    VAULT__tableServiceUri: 'https://b.table.core.windows.net',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  };
  const load = (choices: Choices) =>
    loadConfiguration({ text: fileText(configurationOf(choices)), file: 'strongroom.json', settings });

  it.each<[string, Partial<Choices>]>([
    ['as it is offered', {}],
    ...FREQUENCIES.map((frequency): [string, Partial<Choices>] => [`with backups ${frequency}`, { frequency }]),
    ['of tables only', { containers: '', tables: 'orders, tenant*' }],
    [
      'that keeps everything and verifies nothing',
      { keepDaily: '', keepWeekly: '', keepMonthly: '', keepYearly: '', verify: '' },
    ],
  ])('is one that the app starts with, %s', (_, change) => {
    const { jobs } = load({ ...firstChoices('Europe/Berlin'), ...change });
    expect(jobs.map(({ name }) => name)).toEqual(['nightly']);
  });

  it('has what was chosen, and no default', () => {
    const choices = {
      ...firstChoices('UTC'),
      containers: 'images,\n tenant-*',
      keepWeekly: '',
      keepMonthly: '',
      keepYearly: '',
    };
    expect(configurationOf(choices)).toMatchObject({
      jobs: [
        {
          schedule: '0 30 23 * * *',
          source: { account: 'SOURCE', containers: ['images', 'tenant-*'] },
          retention: { keepDaily: 14 },
          verify: { afterRun: 'quick' },
        },
      ],
    });
    expect(fileText(configurationOf(choices))).not.toContain('timeZone');
  });

  it('chooses containers as the app does', () => {
    const names = ['images', 'tenant-1', 'tenants', '$web', 'strongroom'];
    const of = (patterns: string) => chosen(patterns, names).flatMap(({ name, isChosen }) => (isChosen ? name : []));
    for (const patterns of ['*', 'images', 'tenant-*, $web', 'tenant*', '', 'strongroom', 't*t*']) {
      const matchers = patterns.split(', ').filter((each) => each !== '');
      expect(of(patterns), patterns).toEqual(names.filter((name) => matchers.some((each) => matches(each, name))));
    }
  });

  it('keeps short lists on one line', () => {
    expect(fileText(configurationOf(firstChoices('UTC')))).toContain('"containers": ["*"]');
  });

  it('has a schedule of six fields', () => {
    expect(FREQUENCIES.map((frequency) => scheduleOf({ frequency, time: '04:05' }))).toEqual([
      ...['0 5 4 * * *', '0 5 4 * * 1-5', '0 5 4 * * 0', '0 5 * * * *', undefined],
    ]);
  });
});
