import { describe, expect, it } from 'vitest';
import { containerProtection, type TargetAccount, tableProtection } from '#domain/restore/protected-target.ts';

const PLAIN: TargetAccount = { destinations: [], holding: new Set(), hasCatalog: () => false };
const VAULT: TargetAccount = {
  destinations: [
    { containers: ['images', 'tenant-*'], template: '{container}backup' },
    { containers: ['incoming'], template: 'archive' },
  ],
  holding: new Set(['old-backups']),
  hasCatalog: () => true,
};

describe('a container that no restore may write into', () => {
  it.each([
    ['imagesbackup', 'images', 'holds a backup or an archive'],
    ['tenant-1backup', 'images', 'holds a backup or an archive'],
    ['archive', 'images', 'holds a backup or an archive'],
    ['old-backups', 'images', 'holds a backup or an archive'],
    ['strongroom', 'strongroom', 'is the control container'],
    ['strongroom-drill-aaaaaa-01234567', 'images', 'is for drills'],
    ['azure-webjobs-hosts', 'azure-webjobs-hosts', 'belongs to the host of an app'],
    ['azure-webjobs-secrets', 'images', 'belongs to the host of an app'],
    ['strongroom-leases', 'images', 'belongs to the host of an app'],
    ['strongroom-applease', 'images', 'belongs to the host of an app'],
    ['strongroom-largemessages', 'images', 'belongs to the host of an app'],
    ['app-package', 'app-package', 'belongs to the host of an app'],
    ['app-package-strongroom-1234567', 'images', 'belongs to the host of an app'],
    ['scm-releases', 'images', 'belongs to the host of an app'],
    ['function-releases', 'images', 'belongs to the host of an app'],
    ['$web', 'images', 'belongs to the service'],
    ['$root', '$web', 'belongs to the service'],
  ])('of a vault: %s, for content of %s', (container, from, why) => {
    expect(containerProtection(container, from, VAULT)).toMatch(why);
  });

  it.each([
    ['images', 'images'],
    ['images-restored', 'images'],
    ['strongroom-docs', 'strongroom-docs'],
    ['app-packages', 'app-packages'],
    ['my-app-package', 'images'],
    ['my-azure-webjobs-hosts', 'images'],
    ['my-scm-releases', 'images'],
    ['function-releases-2', 'images'],
    ['my-strongroom-leases', 'images'],
    ['strongroom-leases-2', 'images'],
    ['cost$', 'images'],
    ['old-backups-2', 'images'],
    ['archive-2', 'images'],
    ['$web', '$web'],
  ])('is not %s, for content of %s', (container, from) => {
    expect(containerProtection(container, from, VAULT)).toBeUndefined();
  });

  it('of an account that is no vault is none of a backup', () => {
    for (const name of ['imagesbackup', 'archive', 'strongroom']) {
      expect(containerProtection(name, 'images', PLAIN)).toBeUndefined();
    }
    expect(containerProtection('azure-webjobs-hosts', 'images', PLAIN)).toBeDefined();
  });
});

describe('a table that no restore may write into', () => {
  it.each([
    ['StrongRoom', 'is the list of runs'],
    ['strongroomDrillabc', 'is for drills'],
    ['StrongroomHistory', 'belongs to the host of an app'],
    ['StrongroomInstances', 'belongs to the host of an app'],
    ['AzureWebJobsHostLogscommon', 'belongs to the host of an app'],
    ['AzureFunctionsDiagnosticEvents202611', 'belongs to the host of an app'],
  ])('of a vault: %s', (table, why) => {
    expect(tableProtection(table, VAULT)).toMatch(why);
  });

  it('is no other, and the list of runs only in a vault', () => {
    for (const table of [
      'orders',
      'myAzureWebJobs',
      'myStrongroomHistory',
      'StrongroomHistory2',
      'myStrongroomDrill',
    ]) {
      expect(tableProtection(table, VAULT), table).toBeUndefined();
    }
    expect(tableProtection('strongroom', PLAIN)).toBeUndefined();
  });
});
