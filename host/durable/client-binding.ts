import { OWN_STORAGE } from '../storage/connection-name.ts';

/**
 * The data of a durableClient binding. The client calls `rpcBaseUrl`. It would give the other addresses to external
 * callers; this host does not serve those addresses.
 */
export function clientBinding(taskHubName: string, rpcBaseUrl: string): string {
  const origin = new URL(rpcBaseUrl).origin;
  const orchestrators = `${origin}/runtime/webhooks/durabletask/orchestrators`;
  const instance = `${origin}/runtime/webhooks/durabletask/instances/INSTANCEID`;
  return JSON.stringify({
    taskHubName,
    connectionName: OWN_STORAGE,
    creationUrls: {
      createNewInstancePostUri: `${orchestrators}/{functionName}[/{instanceId}]`,
      createAndWaitOnNewInstancePostUri: `${orchestrators}/{functionName}[/{instanceId}]`,
    },
    managementUrls: {
      id: 'INSTANCEID',
      statusQueryGetUri: instance,
      sendEventPostUri: `${instance}/raiseEvent/{eventName}`,
      terminatePostUri: `${instance}/terminate?reason={text}`,
      rewindPostUri: `${instance}/rewind?reason={text}`,
      purgeHistoryDeleteUri: instance,
      suspendPostUri: `${instance}/suspend?reason={text}`,
      resumePostUri: `${instance}/resume?reason={text}`,
    },
    baseUrl: `${origin}/runtime/webhooks/durabletask`,
    requiredQueryStringParameters: '',
    rpcBaseUrl,
    httpBaseUrl: `${origin}/runtime/webhooks/durabletask`,
  });
}
