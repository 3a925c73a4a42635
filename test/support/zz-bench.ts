import { AnonymousCredential, BlobServiceClient, newPipeline } from '@azure/storage-blob';
import { readListing } from '../../src/storage/azure/listing-reader.ts';

const blobs = Array.from(
  { length: 5000 },
  (_, i) =>
    `<Blob><Name>folder-${i % 50}/some/longer/path/file-${i}.json</Name><Properties><Creation-Time>Sat, 21 Nov 2026 05:57:45 GMT</Creation-Time><Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified><Etag>0x20DE5615B83A${i}</Etag><ResourceType>file</ResourceType><Content-Length>${i * 31}</Content-Length><Content-Type>application/json</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>XUFAKrxLKna5cZ2REBfFkg==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties><Metadata><srcetag>0x8D</srcetag><srcversion>2026-11-21T05:57:45Z</srcversion></Metadata><OrMetadata /></Blob>`,
).join('');
const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.blob.core.windows.net/" ContainerName="c"><Blobs>${blobs}</Blobs><NextMarker>abc</NextMarker></EnumerationResults>`;
console.log('bytes', body.length);
const run = (o: {}) => {
  const s = process.cpuUsage();
  const t = performance.now();
  const p = readListing(body, o);
  const c = process.cpuUsage(s);
  return [((c.user + c.system) / 1000).toFixed(1), (performance.now() - t).toFixed(1), p.blobs.length].join(' ');
};
for (let i = 0; i < 60; i++) console.log('ours', run({ contentHeaders: i % 2 === 0 }));
const withUni = body.replace('file-1.json', 'é😀');
{
  const t = performance.now();
  for (let i = 0; i < 5; i++) readListing(withUni);
  console.log('two-byte', (performance.now() - t) / 5);
}
const client = new BlobServiceClient(
  'https://a.blob.core.windows.net',
  newPipeline(new AnonymousCredential(), {
    httpClient: {
      async sendRequest(r) {
        const h = r.headers.clone();
        for (const n of h.headerNames()) h.remove(n);
        h.set('content-type', 'application/xml');
        return { request: r, status: 200, headers: h, bodyAsText: body };
      },
    },
  }),
).getContainerClient('c');
for (let i = 0; i < (process.env.SDK ? 3 : 0); i++) {
  const s = process.cpuUsage();
  await client.listBlobsFlat({ includeMetadata: true }).byPage({ maxPageSize: 5000 }).next();
  const c = process.cpuUsage(s);
  console.log('sdk', ((c.user + c.system) / 1000).toFixed(1));
}
const mk=(f:()=>number)=>{let best=1e9,r=0;for(let i=0;i<20;i++){const t=performance.now();r=f();best=Math.min(best,performance.now()-t);}return best.toFixed(1)+' '+r};
console.log('indexOf <', mk(()=>{let n=0,at=-1;while((at=body.indexOf('<',at+1))>=0)n++;return n}));
console.log('charcode', mk(()=>{let n=0;for(let i=0;i<body.length;i++)if(body.charCodeAt(i)===60)n++;return n}));
console.log('slices', mk(()=>{let n=0,at=-1;while((at=body.indexOf('<',at+1))>=0){const e=body.indexOf('>',at);n+=body.slice(at+1,e).length}return n}));
console.log('crude', mk(()=>{let n=0,at=-1;while((at=body.indexOf('<Blob>',at+1))>=0){const e=body.indexOf('</Blob>',at);for(const k of ['<Name>','<Etag>','<Last-Modified>','<Content-Length>','<AccessTier>','<Content-MD5>','<Metadata>','<BlobType>']){const s=body.indexOf(k,at)+k.length;n+=body.slice(s,body.indexOf('<',s)).length;}at=e}return n}));
