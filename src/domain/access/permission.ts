/**
 * What a caller of the API may do.
 *
 * - `status`: see whether everything is all right, without any name of content
 * - `read`: see jobs, runs and restore points
 * - `names`: see names of blobs and of uploads
 * - `run`: start backups, verifications, reconciliations and plans of prunes, cancel and retry them, hold,
 *   pause and resume schedules, test channels, and check rights
 * - `restore`: start restores, cancel and retry them
 * - `prune`: carry plans of prunes out, and cancel that
 * - `protect`: take protection away: holds, the safety brake, what a run in progress needs; rebuild the catalog
 */
export const PERMISSIONS = ['status', 'read', 'names', 'run', 'restore', 'prune', 'protect'] as const;

export type Permission = (typeof PERMISSIONS)[number];
