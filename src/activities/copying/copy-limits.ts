/** How often what a copy saw of both sides may turn out to be out of date before the blob fails in this run. */
export const MAX_CHECKS = 4;

/** How many asynchronous copies of one blob a run starts before it tries another method. */
export const MAX_ASYNC_COPIES = 2;

/** Characters of the source address of a copy, signature included: x-ms-copy-source is limited to 2 KiB. */
export const LONGEST_SOURCE_URL = 2048;
