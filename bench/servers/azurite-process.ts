// The child process that is Azurite and counts its requests. It ends with its parent.
import { countRequests } from './request-counter.ts';

countRequests();
await import('../../host/azurite/azurite-process.ts');
