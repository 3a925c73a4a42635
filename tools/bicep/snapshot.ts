/** What a deployment would create: the resources of a snapshot of the compiler, in a form that people can compare. */

export interface Resource {
  type: string;
  apiVersion: string;
  /** Of a resource that extends another one, such as a role assignment: the other one. */
  scope?: string;
  /** With the resource group and the provider; of a resource that extends another one, only the name. */
  name: string;
  [property: string]: unknown;
}

/** Where the examples are deployed to, as far as the examples do not say. */
export const TARGET = {
  tenantId: '00000000-0000-0000-0000-00000000000a',
  subscriptionId: '00000000-0000-0000-0000-000000000001',
  location: 'westeurope',
  deploymentName: 'main',
};

const HERE = `/subscriptions/${TARGET.subscriptionId}/`;

/**
 * The resources in an order of their own. Addresses in the subscription of the deployment begin with a slash and the
 * resource group, and what Azure knows only at the time of the deployment reads `<vault.primaryEndpoints.blob>`.
 */
export function normalise(snapshot: string): Resource[] {
  const { predictedResources } = JSON.parse(readable(snapshot)) as {
    predictedResources: { id: string; name: string; type: string; apiVersion: string }[];
  };
  return predictedResources
    .map(({ id, name, type, apiVersion, ...rest }) => {
      const [, scope] = /^\[extensionResourceId\('([^']+)'/.exec(id) ?? [];
      const extended = /^(.*)\/providers\/Microsoft\.Authorization\/locks\//.exec(id)?.[1] ?? scope;
      return { type, apiVersion, ...(extended && { scope: extended }), name: extended ? name : id, ...rest };
    })
    .sort((a, b) => order(a).localeCompare(order(b), 'en'));
}

/** The text of a snapshot: expressions have no quotation marks of JSON in them. */
function readable(snapshot: string): string {
  return snapshot
    .replaceAll(HERE, '/')
    .replace(/reference\('[^']*?([^'/]+)', '[^']+'(?:, 'full')?\)((?:\.\w+)+)/g, '<$1$2>')
    .replace(/"\[(<[^<>]+>)\]"/g, '"$1"');
}

function order({ scope, name, type }: Resource): string {
  return `${scope ?? name} ${type} ${name}`;
}
