import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isValidContainerName } from '#domain/blobs/container-pattern.ts';
import { tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import {
  expandTable,
  isInjectiveTable,
  isSameTable,
  isValidTableName,
  matchesTable,
  tablePatternProblem,
  tableTemplateProblem,
} from '#domain/tables/table-name.ts';

const pattern = fc.string({ unit: fc.constantFrom('a', 'B', '1', '*'), minLength: 1, maxLength: 6 });
const starred = pattern.filter((text) => text.includes('*'));
const name = fc
  .string({ unit: fc.constantFrom('a', 'b', 'B', '1'), minLength: 3, maxLength: 10 })
  .filter(isValidTableName);

describe('a task', () => {
  it('names its table, and a task of a container names none', () => {
    expect(tableOfTask(taskOfTable('Orders'))).toBe('Orders');
    expect(tableOfTask('table')).toBeUndefined();
    expect(isValidContainerName(taskOfTable('orders'))).toBe(false);
  });
});

describe('matchesTable', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'Orders', true],
    ['ORDERS', 'orders', true],
    ['orders', 'orders2', false],
    ['tenant*', 'Tenant7', true],
    ['TENANT*', 'tenant', true],
    ['tenant*', 'myTenant7', false],
    ['*Log*', 'auditlogs', true],
    ['aba*aba', 'ababa', false],
    ['*', 'anything', true],
    ['*', '$MetricsHourPrimaryTransactionsBlob', false],
    ['*', 'tables', false],
    ['*', 'strongroom', false],
    ['*', 'Strongroom', false],
    ['strong*', 'strongroom', false],
    ['strong*', 'strongroom2', true],
    ['strongroom', 'Strongroom', true],
    ['*', 'strongroomdrillk3f9q2x', false],
    ['*x', 'StrongroomDrillK3F9Q2X', false],
    ['strongroomdrillx', 'strongroomdrillX', true],
    ['*', 'AzureWebJobsHostLogs202611', true],
    ['a.c', 'abc', false],
  ])('%s on %s is %s', (pattern, name, expected) => {
    expect(matchesTable(pattern, name)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    fc.assert(
      fc.property(starred, name, (pattern, name) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(name);
        expect(matchesTable(pattern, name)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same answer whatever the case of either', () => {
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        const expected = matchesTable(pattern, name);
        expect(matchesTable(pattern.toUpperCase(), name.toLowerCase())).toBe(expected);
        expect(matchesTable(pattern.toLowerCase(), name.toUpperCase())).toBe(expected);
      }),
    );
  });

  it('takes no time to speak of on patterns that make regular expressions slow', () => {
    const before = performance.now();
    for (let round = 0; round < 1000; round++) matchesTable(`${'*a'.repeat(50)}*b`, 'a'.repeat(63));
    expect(performance.now() - before).toBeLessThan(500);
  });
});

describe('names and patterns', () => {
  it.each(['abc', 'ABC', 'a12', 'tables1', 'a'.repeat(63)])('%s is the name of a table', (name) => {
    expect(isValidTableName(name)).toBe(true);
    expect(tablePatternProblem(name)).toBeUndefined();
  });

  it.each([
    ...['', 'ab', 'a'.repeat(64), '1ab', 'a-b', 'a_b', 'a b', 'abc\n', 'Äbc', 'tables', 'Tables', '..'],
    '$MetricsHourPrimaryTransactionsBlob',
  ])('%j is no name of a table', (name) => {
    expect(isValidTableName(name)).toBe(false);
    expect(tablePatternProblem(name)).toContain(JSON.stringify(name));
  });

  it.each(['*', 'a*', '*1', 'A*b*c', 'tables*', 'strongroom*'])('%s is a pattern', (pattern) => {
    expect(tablePatternProblem(pattern)).toBeUndefined();
  });

  it.each([
    ...['$*', '$Metrics*', '1*', 'a-*', 'a?*', 'ä*', `${'a'.repeat(64)}*`],
    ...['strongroomdrill*', 'StrongroomDrillAb*c'],
  ])('%s can match nothing', (pattern) => {
    expect(tablePatternProblem(pattern)).toContain(JSON.stringify(pattern));
  });

  it('of metrics are distinguished from mistakes', () => {
    expect(tablePatternProblem('$MetricsHourPrimaryTransactionsBlob')).toContain('the metrics of the service');
    expect(tablePatternProblem('TABLES')).toContain('the service reserves it');
    expect(tablePatternProblem('my-table')).toContain('use 3 to 63 letters and digits, starting with a letter');
  });

  it('never complains of a pattern that matches a table', () => {
    fc.assert(
      fc.property(pattern, name, (pattern, name) => {
        if (matchesTable(pattern, name)) expect(tablePatternProblem(pattern)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('are of one table in either case', () => {
    expect(isSameTable('Orders', 'orders')).toBe(true);
    expect(isSameTable('orders', 'order')).toBe(false);
  });
});

describe('a template', () => {
  it.each([
    ['{table}Restored', 'Orders', 'OrdersRestored'],
    ['{table}', 'orders', 'orders'],
    ['a{table}b{table}', 'Or', 'aOrbOr'],
    ['elsewhere', 'orders', 'elsewhere'],
  ])('%s makes of %s %s', (template, table, made) => {
    expect(tableTemplateProblem(template)).toBeUndefined();
    expect(expandTable(template, table)).toBe(made);
  });

  it.each([
    '',
    '{table}-restored',
    '{container}',
    '1{table}',
    '{Table}',
    'tables',
    '{table}{',
    `{table}${'x'.repeat(63)}`,
  ])('%j makes no name', (template) => {
    expect(tableTemplateProblem(template)).toContain(JSON.stringify(template));
  });

  it('makes two tables of any two, or is refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('{table}', '{table}Restored', 'r{table}', '{table}{table}', 'one'),
        name,
        name,
        (template, a, b) => {
          fc.pre(!isSameTable(a, b));
          if (isInjectiveTable(template))
            expect(isSameTable(expandTable(template, a), expandTable(template, b))).toBe(false);
          else expect(expandTable(template, a)).toBe(expandTable(template, b));
        },
      ),
    );
    expect(isInjectiveTable('{table}Restored')).toBe(true);
    expect(isInjectiveTable('one')).toBe(false);
  });
});
