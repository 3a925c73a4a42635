import { defined } from './defined.ts';

/** A stored access policy. Signatures name it by its id. Times are ISO 8601. */
export interface AccessPolicy {
  id: string;
  start?: string;
  expiry?: string;
  permissions?: string;
}

export type PublicAccess = 'container' | 'blob';

/** What a container is apart from its blobs; of a table, only `policies`. An absent field is the default. */
export interface ContainerProperties {
  publicAccess?: PublicAccess;
  metadata?: Record<string, string>;
  policies?: AccessPolicy[];
  /** The default encryption scope of its blobs. */
  encryptionScope?: string;
  immutabilityPolicy?: true;
  legalHold?: true;
  /** What the app had no right to read. */
  unread?: Unread[];
}

/** `properties`: everything but the policies. */
export type Unread = 'properties' | 'policies';

/** The part of a run that has the properties of a container or table, as the summary lists it. */
export interface PropertiesPart {
  path: string;
  container: string;
  /** Of the compressed bytes. */
  sha256: string;
}

/** The properties that are worth recording; undefined if all of them are known to be the defaults. */
export function recordedProperties(found: ContainerProperties): ContainerProperties | undefined {
  const { metadata = {}, policies = [], unread = [], ...rest } = found;
  const recorded: ContainerProperties = {
    ...rest,
    ...defined({
      metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
      policies: policies.length > 0 ? policies : undefined,
      unread: unread.length > 0 ? unread : undefined,
    }),
  };
  return Object.keys(recorded).length > 0 ? recorded : undefined;
}
