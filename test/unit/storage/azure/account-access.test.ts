import { describe, expect, it } from 'vitest';
import { resolveAccess } from '#storage/azure/account-access.ts';
import { StorageError } from '#storage/storage-error.ts';

function byString(connectionString: string) {
  return resolveAccess({ alias: 'a', connectionString });
}

describe('resolveAccess', () => {
  it('resolveAccess reads an account key, whose base64 may end in =', () => {
    expect(
      byString(
        'DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=c2VjcmV0MQ==;EndpointSuffix=core.windows.net',
      ),
    ).toEqual({
      alias: 'a',
      blobEndpoint: 'https://acct.blob.core.windows.net',
      tableEndpoint: 'https://acct.table.core.windows.net',
      by: { kind: 'key', accountName: 'acct', accountKey: 'c2VjcmV0MQ==' },
    });
  });

  it('resolveAccess accepts other clouds and explicit endpoints', () => {
    expect(byString('AccountName=acct;AccountKey=eA==;EndpointSuffix=core.chinacloudapi.cn').blobEndpoint).toBe(
      'https://acct.blob.core.chinacloudapi.cn',
    );
    const local = byString(
      'AccountName=xyz;AccountKey=eA==;BlobEndpoint=http://127.0.0.1:1/xyz/;TableEndpoint=http://127.0.0.1:2/xyz',
    );
    expect([local.blobEndpoint, local.tableEndpoint]).toEqual(['http://127.0.0.1:1/xyz', 'http://127.0.0.1:2/xyz']);
  });

  it('resolveAccess reads a shared access signature, which may hold = and begin with ?', () => {
    const { by, tableEndpoint } = byString(
      'BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=?sv=1&sp=rl&se=2999-01-01&sig=a%3D',
    );
    expect(by).toEqual({ kind: 'sas', sas: 'sv=1&sp=rl&se=2999-01-01&sig=a%3D' });
    expect(tableEndpoint).toBe('https://acct.table.core.windows.net');
  });

  it('resolveAccess knows the emulator', () => {
    expect(byString('UseDevelopmentStorage=true').blobEndpoint).toBe('http://127.0.0.1:10000/devstoreaccount1');
  });

  it('resolveAccess finds the table service of an account with identity access', () => {
    const blobServiceUri = 'https://acct.blob.core.windows.net/';
    expect(resolveAccess({ alias: 'a', blobServiceUri })).toMatchObject({
      blobEndpoint: 'https://acct.blob.core.windows.net',
      tableEndpoint: 'https://acct.table.core.windows.net',
      by: { kind: 'identity' },
    });
    const tableServiceUri = 'https://t.example';
    expect(resolveAccess({ alias: 'a', blobServiceUri, tableServiceUri }).tableEndpoint).toBe('https://t.example');
  });

  it.each([
    'AccountName=acct;AccountKey=',
    'AccountKey=c2VjcmV0MQ==',
    'BlobEndpoint=c2VjcmV0MQ==;AccountName=a;AccountKey=c2VjcmV0MQ==',
    'BlobEndpoint=https://a.blob.core.windows.net/?sig=c2VjcmV0MQ;AccountName=a;AccountKey=c2VjcmV0MQ==',
    'BlobEndpoint=ftp://a;AccountName=a;AccountKey=c2VjcmV0MQ==',
    'c2VjcmV0MQ==',
  ])('resolveAccess refuses an incomplete string without quoting it', (connectionString) => {
    let thrown: unknown;
    try {
      byString(connectionString);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StorageError);
    expect(thrown).toMatchObject({ kind: 'invalid' });
    expect((thrown as StorageError).message).toContain('"a"');
    expect((thrown as StorageError).message).not.toContain('c2VjcmV0MQ');
  });
});
