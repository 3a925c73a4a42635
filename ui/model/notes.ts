import type { ApiPoint } from './points.ts';

/** Something that an operator does with a restore point, and what stands before it. */
export type NoteAction = 'hold' | 'unhold' | 'unmark' | 'release';

/** The permission that each needs. */
export const NEEDS = { hold: 'run', unhold: 'protect', unmark: 'run', release: 'protect' } as const;

/** What can be done with it now. */
export function actionsOf({ hold, brake, removed, problem }: ApiPoint): NoteAction[] {
  if (removed !== undefined) return removed.emptied === undefined ? ['unmark'] : [];
  return [
    hold ? ('unhold' as const) : ('hold' as const),
    ...(brake && brake.released === undefined && problem === undefined ? (['release'] as const) : []),
  ];
}

/** What is wrong with a reason, in words for its author, or undefined: as the API checks it. */
export function reasonProblem(text: string): string | undefined {
  const reason = text.trim();
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(reason)) return 'Say why, for others who wonder.';
  if (reason.length > 200) return `The reason has ${reason.length} characters; the maximum is 200.`;
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(reason))
    return 'The reason contains line breaks, control characters, or marks that change the direction of text.';
  return undefined;
}

/** Who did something, as notes have it: a name, a key, a caller on this machine, or a schedule. */
export function byWords(by: { name: string | null; via: string } | null | undefined): string {
  if (!by) return 'not recorded';
  if (by.via === 'schedule') return 'by schedule';
  if (by.via === 'loopback') return 'by a caller on the machine of the app';
  const way = by.via === 'key' ? (by.name === null ? 'by a key' : 'by the key') : 'by';
  return by.name === null ? (by.via === 'key' ? way : `${way} a user without a name`) : `${way} ${by.name}`;
}
