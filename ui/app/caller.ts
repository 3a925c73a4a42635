import { computed, signal } from '@preact/signals';
import type { Permission } from '#domain/access/permission.ts';
import { whyNot } from '../model/access.ts';
import type { Answer, ApiError } from '../model/answer.ts';

/** Kept for as long as the tab is open, and sent as a header: it is in no address. */
const KEY = 'strongroom.key';

/** The key that calls send; null if there is none. */
export const key = signal<string | null>(sessionStorage.getItem(KEY));
/** Who calls; undefined until it is known. */
export const who = signal<Answer<'whoAmI'> | undefined>(undefined);
/** Why nothing is shown: it is not known who calls, or the app cannot start. */
export const barrier = signal<{ problem: ApiError; isKeyWrong: boolean } | undefined>(undefined);

/** Why it is not known who calls, other than that they have not signed in: it is asked again. */
export const unanswered = signal<ApiError | undefined>(undefined);

const permissions = computed(() => who.value?.may ?? []);

export function may(permission: Permission): boolean {
  return permissions.value.includes(permission);
}

/** Why the caller may not do something, and which role may; undefined if it may. */
export function lacking(permission: Permission): string | undefined {
  return who.value === undefined || may(permission) ? undefined : whyNot(permission);
}

export function takeKey(given: string | null): void {
  if (given === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, given);
  key.value = given;
}

/** A call was refused because it is not known who calls. */
export function refused(problem: ApiError, sent: string | null): void {
  who.value = undefined;
  barrier.value = { problem, isKeyWrong: sent !== null };
}
