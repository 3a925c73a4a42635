declare const held: unique symbol;

/**
 * A run that was seen to hold its job's lock. Parts are written in its name only, and only the guarded context of an
 * activity (`RunContext`) has it: code that never asked whether the run may continue cannot write them.
 */
export interface HeldRun {
  readonly job: string;
  readonly id: string;
  readonly [held]: true;
}
