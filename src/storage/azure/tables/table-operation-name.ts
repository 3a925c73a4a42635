/** The REST operation of a table request, by its name in the service's documentation. */
export function tableOperationName(method: string, url: string): string {
  const resource = url.replace(/\?.*$/s, '').replace(/^.*\//s, '');
  if (resource === 'Tables') return method === 'POST' ? 'CreateTable' : 'QueryTables';
  if (resource === '$batch') return 'ExecuteTransaction';
  if (resource.startsWith('Tables(')) return method === 'DELETE' ? 'DeleteTable' : `${method} table`;
  if (url.includes('?comp=acl')) return method === 'PUT' ? 'SetTableACL' : 'GetTableACL';
  switch (method) {
    case 'GET':
      return 'QueryEntities';
    case 'POST':
      return 'InsertEntity';
    case 'PUT':
      return 'InsertOrReplaceEntity';
    case 'PATCH':
    case 'MERGE':
      return 'InsertOrMergeEntity';
    default:
      return `${method} entity`;
  }
}
