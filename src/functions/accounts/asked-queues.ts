import type { Dependencies } from '#app/dependencies.ts';
import { signatureIn } from '#domain/account-string.ts';
import { type Check, checkOf, type SignIn } from '#domain/rights/check.ts';
import { NOTHING } from '#domain/rights/finding.ts';
import type { Need } from '#domain/rights/needed-rights.ts';
import { defined } from '#domain/run/defined.ts';
import { queueAccountIn } from '#domain/service-identity.ts';
import type { QueueConnection } from '#storage/account-connection.ts';
import type { QueueProbe } from '#storage/account-probe.ts';
import { Asker, NO_ANSWER } from './asker.ts';
import { principalOf } from './principal-of.ts';

/** The queues of upload events behind one connection. The host works with them, by the settings that are asked with. */
export class AskedQueues {
  readonly #asker: Asker;
  readonly #connection: string;
  readonly #queues: readonly string[];
  readonly #probe: QueueProbe | undefined;
  #signIn: SignIn = { by: 'key' };

  constructor(deps: Dependencies, connection: string) {
    this.#connection = connection;
    this.#asker = new Asker(connection, 'destination', (error) => deps.telemetry.failure('checkRights', error, {}));
    this.#probe = deps.probeQueues(connection);
    const events = deps.configuration.archives.map(({ events }) => events);
    const mine = events.filter((each) => each?.queueAccount === connection);
    this.#queues = [...new Set(mine.flatMap((each) => each?.queue ?? []))];
    if (this.#probe) this.#signIn = signInOf(this.#probe.connection);
  }

  async ask(): Promise<void> {
    const probe = this.#probe;
    if (!probe) {
      this.#asker.note('read-queue', { is: 'unknown', code: NOTHING, detail: '' });
      return;
    }
    const askWho = async () => {
      this.#signIn = await principalOf(this.#signIn, this.#connection, () => probe.identity());
    };
    const looks = this.#queues.map((queue) => this.#asker.ask('read-queue', () => probe.peek(queue)));
    await Promise.all([askWho(), ...looks]);
  }

  check(need: Need): Check {
    const connection = this.#probe?.connection;
    const uri = connection && 'queueServiceUri' in connection ? connection.queueServiceUri : undefined;
    const name = uri === undefined ? undefined : queueAccountIn(uri);
    const finding = this.#asker.findings.get('read-queue') ?? NO_ANSWER;
    return checkOf(need, finding, { side: 'vault', ...defined({ name }), signIn: this.#signIn });
  }
}

function signInOf(connection: QueueConnection): SignIn {
  if (!('connectionString' in connection)) {
    return { by: 'identity', principal: defined({ clientId: connection.clientId }) };
  }
  const sas = signatureIn(connection.connectionString);
  return sas === undefined ? { by: 'key' } : { by: 'sas', sas };
}
