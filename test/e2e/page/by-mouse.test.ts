import { MOUSE } from './hands.ts';
import { journeys } from './journeys.ts';

journeys(MOUSE);
