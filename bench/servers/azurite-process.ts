// The child process that runs Azurite and counts its requests. It ends with its parent.
import { countRequests } from './request-counter.ts';

countRequests();
await import('../../host/azurite/azurite-process.ts');
