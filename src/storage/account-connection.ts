/** The connection to a storage account: a connection string (account key or SAS), or addresses and an identity. */
export type AccountConnection = { alias: string; connectionString: string } | IdentityConnection;

export interface IdentityConnection {
  alias: string;
  /** Such as `https://acct.blob.core.windows.net`. */
  blobServiceUri: string;
  /** Defaults to `blobServiceUri` with `.blob.` replaced by `.table.`. */
  tableServiceUri?: string;
  /** Where the address does not show the name of the account: a custom domain. */
  accountName?: string;
  /** Client id of a user-assigned identity. Absent: the identity that the environment offers. */
  clientId?: string;
}

/** The connection to a queue service: a connection string, or its address and an identity. */
export type QueueConnection = { connectionString: string } | { queueServiceUri: string; clientId?: string };
