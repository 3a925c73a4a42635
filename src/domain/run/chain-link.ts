/** A record by its number, and the SHA-256 of its bytes. Kept elsewhere, it proves everything up to this record. */
export interface ChainLink {
  number: number;
  sha256: string;
}
