import { CallError, forgetAnswers, get } from './api.ts';
import { basket } from './basket.ts';
import { barrier, takeKey, unanswered, who } from './caller.ts';
import { forgetSearches } from './finding.ts';

const ASK_AGAIN_MS = 5_000;
/** Only the last look counts: an earlier one may be answered later, and about another key. */
let looks = 0;

export function signIn(given: string): Promise<void> {
  takeKey(given);
  return lookWhoCalls();
}

/** Forgets the key and everything else of this tab: what was collected and found are names. */
export function signOut(): void {
  const { signOut: address = null } = who.peek() ?? {};
  basket.value = [];
  forgetSearches();
  sessionStorage.clear();
  takeKey(null);
  who.value = undefined;
  if (address === null) void lookWhoCalls();
  else window.location.assign(address);
}

/** Asks who calls, and takes the barrier away if that is known. */
export async function lookWhoCalls(): Promise<void> {
  const look = ++looks;
  forgetAnswers();
  try {
    const caller = await get('whoAmI', 'whoami');
    if (look !== looks) return;
    who.value = caller;
    barrier.value = undefined;
    unanswered.value = undefined;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (look !== looks) return;
    const { problem } = error;
    unanswered.value = problem.status === 401 ? undefined : problem;
    if (problem.code === 'misconfigured') barrier.value = { problem, isKeyWrong: false };
    // The screens say that there is no answer. What the caller may do has to be known once there is one.
    if (problem.status !== 401) setTimeout(() => look === looks && whenShown(() => void lookWhoCalls()), ASK_AGAIN_MS);
  }
}

/** A hidden page asks nothing. */
function whenShown(does: () => void): void {
  if (document.hidden) document.addEventListener('visibilitychange', () => whenShown(does), { once: true });
  else does();
}
