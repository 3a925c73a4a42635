import { CallError, forgetAnswers, get } from './api.ts';
import { barrier, takeKey, who } from './caller.ts';

const ASK_AGAIN_MS = 5_000;

export function signIn(given: string): Promise<void> {
  takeKey(given);
  return lookWhoCalls();
}

/** Forgets the key and everything else of this tab. */
export function signOut(): void {
  const { signOut: address = null } = who.peek() ?? {};
  sessionStorage.clear();
  takeKey(null);
  who.value = undefined;
  if (address === null) void lookWhoCalls();
  else window.location.assign(address);
}

/** Asks who calls, and takes the barrier away if that is known. */
export async function lookWhoCalls(): Promise<void> {
  forgetAnswers();
  try {
    who.value = await get('whoAmI', 'whoami');
    barrier.value = undefined;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const { problem } = error;
    if (problem.code === 'misconfigured') barrier.value = { problem, isKeyWrong: false };
    // The screens say that there is no answer. What the caller may do has to be known once there is one.
    if (problem.status !== 401) setTimeout(() => void lookWhoCalls(), ASK_AGAIN_MS);
  }
}
