import { matches } from '../blobs/container-pattern.ts';
import { destinationPattern } from '../blobs/container-template.ts';
import { CONTROL_CONTAINER, DRILL_CONTAINER_PREFIX } from '../run/control-paths.ts';
import { isHubContainer, isHubTable } from '../run/task-hub.ts';
import { CATALOG_TABLE, DRILL_TABLE_PREFIX, isSameTable } from '../tables/table-name.ts';

/** Where a job or an archive rule copies to: patterns of its source containers, and the template of the destination. */
export interface CopyDestination {
  containers: readonly string[];
  template: string;
}

/** What is known of the account to restore to. */
export interface TargetAccount {
  /** The jobs and the archive rules that copy to this account. */
  destinations: readonly CopyDestination[];
  /** Containers in it that hold content of restore points, whatever the configuration says now. */
  holding: ReadonlySet<string>;
  /** Whether its tables are those of a vault. */
  hasCatalog(): boolean;
}

/**
 * Why no restore may write content of the container `from` into `container`, in words that follow the name of the
 * container; undefined if it may. A name in a restore point comes from the source, where anyone may have chosen it.
 */
export function containerProtection(
  container: string,
  from: string,
  { destinations, holding }: TargetAccount,
): string | undefined {
  if (container.startsWith('$') && container !== from) {
    return 'belongs to the service, and only its own content may return to it';
  }
  if (HOST_CONTAINER.test(container) || isHubContainer(container))
    return 'belongs to the host of an app, and a restore would change it';
  if (container.startsWith(DRILL_CONTAINER_PREFIX)) return 'is for drills, which delete it';
  if (container === CONTROL_CONTAINER && destinations.length > 0) {
    return 'is the control container of a vault, and a restore would change it';
  }
  const isDestination = destinations.some(({ containers, template }) =>
    containers.some((pattern) => matches(destinationPattern(template, pattern), container)),
  );
  return isDestination || holding.has(container)
    ? 'holds a backup or an archive, and a restore would change it'
    : undefined;
}

/** Of Azure Functions: keys and locks, and code of apps. */
const HOST_CONTAINER = /^azure-webjobs-|^app-package(?:-|$)|^(?:scm|function)-releases$/;

/** Why no restore may write into a table, as `containerProtection`. */
export function tableProtection(table: string, { hasCatalog }: Pick<TargetAccount, 'hasCatalog'>): string | undefined {
  if (HOST_TABLE.test(table) || isHubTable(table))
    return 'belongs to the host of an app, and a restore would change it';
  if (table.toLowerCase().startsWith(DRILL_TABLE_PREFIX)) return 'is for drills, which delete it';
  const isCatalog = isSameTable(table, CATALOG_TABLE) && hasCatalog();
  return isCatalog ? 'is the list of runs, and a restore would change it' : undefined;
}

const HOST_TABLE = /^(?:azurewebjobs|azurefunctions)/i;
