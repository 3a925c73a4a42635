import type { TokenCredential } from '@azure/identity';
import type { IdentityConnection } from '../account-connection.ts';

/**
 * Loads @azure/identity for the first token only: the package is slow to load, and connection strings do not need it.
 */
export function identityCredential(connection: Pick<IdentityConnection, 'clientId'>): TokenCredential {
  let loading: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      loading ??= load(connection.clientId);
      return (await loading).getToken(scopes, options);
    },
  };
}

async function load(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  return clientId ? new ManagedIdentityCredential({ clientId }) : new DefaultAzureCredential();
}
