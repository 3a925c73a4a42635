import { KEYBOARD } from './hands.ts';
import { journeys } from './journeys.ts';

journeys(KEYBOARD);
