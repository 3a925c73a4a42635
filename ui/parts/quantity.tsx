import { bytes, counted, number } from '../model/quantity.ts';

/** `188 MB`, with the exact number on hover. */
export function Bytes({ of }: { of: number }) {
  return <span title={`${number(of)} bytes`}>{bytes(of)}</span>;
}

/** `5,018 blobs`. */
export function Count({ of, one, several }: { of: number; one: string; several?: string }) {
  return <>{counted(of, one, several)}</>;
}
