import { newAccountKey } from '../../host/azurite/azurite.ts';
import { type CountedServer, startCountedServer } from './counted-server.ts';

/** An Azurite in memory with these accounts, which counts requests. */
export function startCountedAzurite(accountNames: string[]): Promise<CountedServer> {
  const accounts = accountNames.map((name) => ({ name, key: newAccountKey() }));
  const ports = ['blob', 'queue', 'table'].flatMap((service) => [`--${service}Port`, '0']);
  return startCountedServer({
    entry: new URL('azurite-process.ts', import.meta.url),
    args: [...ports, '--skipApiVersionCheck', '--disableTelemetry', '--silent', '--loose', '--inMemoryPersistence'],
    env: { AZURITE_ACCOUNTS: accounts.map(({ name, key }) => `${name}:${key}`).join(';'), AZURITE_OWNER_FILE: '' },
    accounts,
  });
}
