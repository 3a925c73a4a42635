import type { SignIn } from '#domain/rights/check.ts';
import type { AccountIdentity } from '#storage/account-probe.ts';
import { inTime } from '../http/in-time.ts';
import { PATIENCE_MS } from './asker.ts';

/** A sign-in with what a token says of its owner, whom roles are assigned to. */
export async function principalOf(
  signIn: SignIn,
  alias: string,
  ask: () => Promise<AccountIdentity | undefined>,
): Promise<SignIn> {
  if (signIn.by !== 'identity') return signIn;
  // Without a token, every request says why.
  const found = await inTime(PATIENCE_MS, alias, ask()).catch(() => undefined);
  return { by: 'identity', principal: { ...signIn.principal, ...found } };
}
