/** A blob, snapshot or version in a listing. */
export interface Listed {
  name: string;
  metadata?: Record<string, string> | undefined;
  etag: string;
  size: number;
  tier?: string | undefined;
}

export interface Vault {
  list(container: string, options: { prefix: string; all?: boolean }): AsyncIterable<Listed>;
  read(container: string, name: string): Promise<Buffer | undefined>;
  sha256(container: string, blob: Listed): Promise<string>;
}

export interface Finding {
  what: 'missing' | 'altered' | 'forged' | 'cut-short';
  where: string;
  how: string;
}

export interface Link {
  number: number;
  sha256: string;
}

export interface Checked {
  findings: Finding[];
  /** What has no record, and takes nothing from a restore point: a process that died may have left it. */
  remarks: Omit<Finding, 'what'>[];
  head: Link | undefined;
  records: number;
  restorePoints: number;
  parts: number;
  files: number;
  blobs: { held: number; read: number; archived: number } | undefined;
}

export function checkVault(vault: Vault, options: { job: string; head?: Link; content?: boolean }): Promise<Checked>;
