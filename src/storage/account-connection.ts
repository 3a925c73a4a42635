/**
 * How to reach one storage account: by a connection string (account key or shared access signature), or by its
 * addresses with the identity that the process runs as.
 */
export type AccountConnection = { alias: string; connectionString: string } | IdentityConnection;

export interface IdentityConnection {
  alias: string;
  /** Such as `https://acct.blob.core.windows.net`. */
  blobServiceUri: string;
  /** Defaults to `blobServiceUri` with `.blob.` replaced by `.table.`. */
  tableServiceUri?: string;
  /** Client id of a user-assigned identity. Absent: whatever identity the environment offers. */
  clientId?: string;
}
