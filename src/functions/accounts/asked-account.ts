import type { Dependencies } from '#app/dependencies.ts';
import { parseAccountString } from '#domain/account-string.ts';
import { type Check, type CheckedAccount, checkOf, type SignIn } from '#domain/rights/check.ts';
import { placesOf } from '#domain/rights/finding.ts';
import { concerned, type Need, type Side, sideOf, type Uses } from '#domain/rights/needed-rights.ts';
import { defined } from '#domain/run/defined.ts';
import { azureAccountIn } from '#domain/service-identity.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import type { AccountProbe } from '#storage/account-probe.ts';
import { askPruner, askSource, askVault } from './ask-account.ts';
import { Asker, NO_ANSWER } from './asker.ts';
import { principalOf } from './principal-of.ts';

/** What one account has answered so far. */
export class AskedAccount {
  readonly side: Side;
  readonly #alias: string;
  readonly #uses: Uses;
  readonly #probe: AccountProbe;
  readonly #asker: Asker;
  readonly #name: string | undefined;
  #signIn: SignIn;

  constructor(deps: Dependencies, alias: string, uses: Uses) {
    const connection = deps.configuration.accounts.get(alias)!;
    this.side = sideOf(uses, alias);
    this.#alias = alias;
    this.#uses = uses;
    this.#probe = deps.probe(alias);
    this.#asker = new Asker(alias, this.side === 'source' ? 'source' : 'destination', (error) =>
      deps.telemetry.failure('checkRights', error, {}),
    );
    this.#name = azureAccountIn(this.#probe.blobs.endpoint) ?? accountNameOf(connection);
    this.#signIn = signInOf(connection);
  }

  /** Throws nothing. */
  async ask(needs: readonly Need[]): Promise<void> {
    const { jobs, archives, otherAccounts } = this.#uses;
    const wanted = new Set(needs.filter(({ alias }) => alias === this.#alias).map(({ right }) => right));
    const read = [...jobs, ...archives].filter(({ source }) => source.account === this.#alias);
    const places = {
      containers: read.flatMap(({ source }) => ('container' in source ? [source.container] : source.containers)),
      tables: read.flatMap(({ source }) => ('tables' in source ? source.tables : [])),
    };
    await Promise.all([
      this.#askWho(),
      askSource(this.#asker, this.#probe, places),
      this.side === 'vault' && askVault(this.#asker, this.#probe, wanted),
      this.side === 'prune' && wanted.has('delete-blobs') && askPruner(this.#asker, this.#probe),
      otherAccounts.includes(this.#alias) &&
        this.#asker.ask('list-containers', () => this.#probe.blobs.listContainers()),
    ]);
  }

  async #askWho(): Promise<void> {
    this.#signIn = await principalOf(this.#signIn, this.#alias, () => this.#probe.identity());
  }

  check(need: Need): Check {
    const account: CheckedAccount = { side: this.side, ...defined({ name: this.#name }), signIn: this.#signIn };
    const finding = this.#asker.findings.get(need.right) ?? NO_ANSWER;
    return checkOf(concerned(need, this.#uses, placesOf(finding)), finding, account);
  }
}

function accountNameOf(connection: AccountConnection): string | undefined {
  return 'connectionString' in connection ? undefined : connection.accountName;
}

function signInOf(connection: AccountConnection): SignIn {
  if (!('connectionString' in connection)) {
    return { by: 'identity', principal: defined({ clientId: connection.clientId }) };
  }
  const parsed = parseAccountString(connection.connectionString);
  const sas = 'account' in parsed ? parsed.account.sas : undefined;
  return sas === undefined ? { by: 'key' } : { by: 'sas', sas };
}
