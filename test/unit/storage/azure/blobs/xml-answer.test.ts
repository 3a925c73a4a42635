import { describe, expect, it } from 'vitest';
import { checkXmlAnswer } from '#storage/azure/blobs/xml-answer.ts';

const HEAD = '<?xml version="1.0" encoding="utf-8"?>';
const WHOLE: [operation: string, body: string][] = [
  ['ListContainers', '<EnumerationResults><Containers /><NextMarker /></EnumerationResults>'],
  [
    'ListContainers',
    '<EnumerationResults><Containers><Container><Name>a</Name></Container></Containers></EnumerationResults>',
  ],
  ['GetContainerACL', '<SignedIdentifiers />'],
  ['GetBlockList', '<BlockList><CommittedBlocks /></BlockList>'],
  ['GetBlobTags', '<Tags><TagSet /></Tags>'],
  ['GetAccountProperties', '<StorageServiceProperties><Logging /></StorageServiceProperties>'],
  ['GetUserDelegationKey', '<UserDelegationKey><Value>c2VjcmV0</Value></UserDelegationKey>'],
];
const PAGE = '<html><head><title>Sign in</title></head><body><p>Sign in</p></body></html>';

function check(operation: string, body: string): () => void {
  return () => checkXmlAnswer(operation, Buffer.from(body));
}

describe.each(WHOLE)('the answer to %s', (operation, body) => {
  it('is taken as the service sends it', () => {
    for (const text of [body, HEAD + body, `\uFEFF${HEAD}${body}`]) expect(check(operation, text)).not.toThrow();
  });

  it('is refused if it is a page of something else, empty, plain text, cut off, or followed by more', () => {
    for (const text of [PAGE, '', ' ', 'Sign in', '{}', HEAD, `${body}${PAGE}`]) {
      expect(check(operation, text), text).toThrow(expect.objectContaining({ kind: 'server' }));
    }
    for (let end = 1; end < body.length; end++) {
      expect(check(operation, body.slice(0, end)), body.slice(0, end)).toThrow(/incomplete answer/);
    }
  });
});

it('a list without the element of its items is refused', () => {
  expect(check('ListContainers', '<EnumerationResults><NextMarker /></EnumerationResults>')).toThrow(/Containers/);
  expect(check('GetUserDelegationKey', '<UserDelegationKey />')).toThrow(/Value/);
});

it('an answer without XML is not looked at', () => {
  expect(check('GetBlob', PAGE)).not.toThrow();
  expect(check('PutBlob', '')).not.toThrow();
});
