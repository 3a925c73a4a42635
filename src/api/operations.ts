import { accountOperations } from './accounts.ts';
import { archiveRuleOperations } from './archive-rules.ts';
import { archiveOperations } from './archives.ts';
import { catalogOperations } from './catalog.ts';
import { configurationOperations } from './configuration.ts';
import { costOperations } from './cost.ts';
import { descriptionOperations } from './description.ts';
import { healthOperations } from './health.ts';
import { jobOperations } from './jobs.ts';
import { metricsOperations } from './metrics.ts';
import { overviewOperations } from './overview.ts';
import { proofOperations } from './proof.ts';
import { pruneOperations } from './prunes.ts';
import { restorePointOperations } from './restore-points.ts';
import { restorePreviewOperations } from './restore-preview.ts';
import { restoreOperations } from './restores.ts';
import { runOperations } from './runs.ts';
import { searchOperations } from './search.ts';
import { verificationOperations } from './verifications.ts';
import { watchOperations } from './watch.ts';
import { whoAmIOperations } from './who-am-i.ts';

/** Every operation of the HTTP API, by its id. */
export const OPERATIONS = {
  ...runOperations,
  ...restorePointOperations,
  ...proofOperations,
  ...searchOperations,
  ...restoreOperations,
  ...restorePreviewOperations,
  ...verificationOperations,
  ...pruneOperations,
  ...archiveRuleOperations,
  ...archiveOperations,
  ...overviewOperations,
  ...jobOperations,
  ...accountOperations,
  ...watchOperations,
  ...healthOperations,
  ...catalogOperations,
  ...metricsOperations,
  ...configurationOperations,
  ...costOperations,
  ...descriptionOperations,
  ...whoAmIOperations,
};

export type OperationId = keyof typeof OPERATIONS;
