import { createHash } from 'node:crypto';

export interface Block {
  /** Base64, of the same length for all blocks of a blob, as the service requires. */
  id: string;
  offset: number;
  count: number;
}

const MIB = 1024 * 1024;
const SMALLEST = 8 * MIB;
const LARGEST = 100 * MIB;
const MOST_BLOCKS = 50_000;
/** The number of blocks that are copied at the same time. */
const WIDTH = 8;

/**
 * Splits a source of `size` bytes into blocks. The ids follow from the source, so that a second attempt uses the same
 * ids. They include the version of the source, so that attempts at different versions never commit each other's blocks.
 */
export function planBlocks(size: number, source: string): Block[] {
  const even = Math.ceil(size / WIDTH / MIB) * MIB;
  const usual = Math.min(Math.max(even, SMALLEST), LARGEST);
  const length = Math.max(usual, Math.ceil(size / MOST_BLOCKS / MIB) * MIB);
  const version = createHash('sha256').update(`${source}\n${size}\n${length}`).digest('hex').slice(0, 24);
  const blocks: Block[] = [];
  for (let offset = 0; offset < size; offset += length) {
    const id = Buffer.from(`${version}-${String(blocks.length).padStart(5, '0')}`).toString('base64');
    blocks.push({ id, offset, count: Math.min(length, size - offset) });
  }
  return blocks;
}
