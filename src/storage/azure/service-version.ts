/*
 * Without these, the SDK asks for the newest version that its release knows. Some regions and clouds get a version
 * later than others, and refuse every request for one that they do not know. So each service is asked for the oldest
 * version that has all that this adapter uses.
 */

/** Needed by the access tier Cold. The next youngest are encoded names in listings, 2021-02-12; tags, 2019-12-12. */
export const BLOB_VERSION = '2021-12-02';

export const TABLE_VERSION = '2019-02-02';
