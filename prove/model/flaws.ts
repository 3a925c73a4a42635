/**
 * Ways in which the protocol could be wrong. Each is a switch of the model, and the model must find each: a proof that
 * does not notice a flaw proves nothing without one.
 */
export const FLAWS = {
  'copies without pinning the destination': 'unpinned destination',
  'copies without pinning the source': 'unpinned source',
  'keeps nothing before an asynchronous copy': 'no snapshot before async',
  'keeps nothing before a synchronous copy': 'no snapshot before sync',
  'publishes over a summary that is there': 'summary overwritten',
  'takes over without closing the abandoned run': 'take-over without closing',
  'closes over a summary that is there': 'closing overwrites',
  'frees the lock of a run without closing it': 'freed without closing',
  'takes the lock by a plain write': 'lock taken unpinned',
  'releases the lock by a plain write': 'lock released unpinned',
  'releases the lock of any holder': 'lock of another released',
  'takes any successful copy for its own': 'any copy id',
  'counts a pending copy as copied': 'pending counted',
  'takes vanished copy headers for success': 'vanished headers',
  'aborts whatever copy is pending': 'abort without id',
  'publishes though a part is missing': 'part missing',
  'writes parts over those that are there': 'parts overwritten',
  'continues after it has been superseded': 'epoch ignored',
  'continues after the request to cancel': 'cancel ignored',
  'takes the leftover of a failed copy for whole': 'leftover whole',
  'compares by size instead of the recorded ETag': 'compared by size',
  'takes a refused copy for done': 'refusal taken for done',
  'waits for a stuck copy for ever': 'no deadline',
} as const;

export type Flaw = (typeof FLAWS)[keyof typeof FLAWS];
