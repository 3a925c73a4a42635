import type { AccessToken } from '@azure/identity';
import { z } from 'zod';
import type { AccountIdentity } from '../account-probe.ts';

/** What tokens for storage accounts are for. */
export const STORAGE_SCOPE = 'https://storage.azure.com/.default';

const claimsSchema = z.object({
  oid: z.string().optional().catch(undefined),
  idtyp: z.string().optional().catch(undefined),
  scp: z.string().optional().catch(undefined),
});

/** The owner of an access token. The account checks it; here, it is only read, to name the owner. */
export function ownerOf(token: Pick<AccessToken, 'token'> | null): AccountIdentity {
  const [, payload = ''] = (token?.token ?? '').split('.');
  try {
    const { oid, idtyp, scp } = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    // Only a user has delegated permissions.
    const type = idtyp === 'app' ? 'ServicePrincipal' : scp !== undefined || idtyp === 'user' ? 'User' : undefined;
    return { ...(oid !== undefined && { objectId: oid }), ...(type && { type }) };
  } catch {
    return {};
  }
}
