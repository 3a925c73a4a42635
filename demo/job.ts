/** The configuration of the demo, as a strongroom.json. */
export const JOB = 'nightly';
/** A small job for the container whose files change all day. */
export const QUICK_JOB = 'hourly';
export const QUICK_CONTAINER = 'inbox';

/** Uploads to this container are archived as they arrive; messages in a queue announce them. */
export const RULE = 'arrivals';
export const ARRIVALS = 'uploads';
export const QUEUE = 'strongroom-uploads';

/** Tables have a job of their own, so the counts of the other job are those of blobs. */
export const TABLES_JOB = 'tables';

/** A moment ago, each day: an occurrence that is due. */
function dueNow(): string {
  const now = new Date();
  return `0 ${now.getUTCMinutes()} ${now.getUTCHours()} * * *`;
}

export const CONFIGURATION = {
  archives: [
    {
      name: RULE,
      source: { account: 'SOURCE', container: ARRIVALS, exclude: ['**/*.tmp'] },
      destination: { account: 'VAULT', container: '{container}archive' },
      events: { queue: QUEUE },
    },
  ],
  jobs: [
    {
      name: JOB,
      schedule: dueNow(),
      source: {
        account: 'SOURCE',
        containers: ['images', 'docs', 'invoices', 'tenant-*', 'disks', 'logs', '*box'],
        exclude: ['**/*.tmp'],
      },
      destination: { account: 'VAULT', container: '{container}backup' },
    },
    {
      name: QUICK_JOB,
      schedule: '0 0 * * * *',
      source: { account: 'SOURCE', containers: [QUICK_CONTAINER], exclude: ['**/*.tmp'] },
      destination: { account: 'VAULT', container: '{container}backup' },
    },
    {
      name: TABLES_JOB,
      source: { account: 'SOURCE', tables: ['*'], tableDeletions: true },
      destination: { account: 'VAULT' },
    },
  ],
};

/** The meaning of the configuration above, written independently for the comparison at the end. */
export function isInJob(container: string, name: string): boolean {
  return /^(?:images|docs|invoices|disks|logs|tenant-.*|.*box)$/.test(container) && !/(?:^|\/)[^/]*\.tmp$/s.test(name);
}

export const ARCHIVE = `${ARRIVALS}archive`;

export function backupContainerOf(container: string): string {
  return `${container}backup`;
}
